using System.Diagnostics;
using Cerver.Api.Runs;
using Cerver.Computes;

namespace Cerver.Api.Computes;

/// <summary>What an account can run on.</summary>
public sealed record ComputeListAnswer
{
    /// <summary>The account's machines and the providers of this gateway, machines first.</summary>
    public required ImmutableArray<ComputeAnswer> Computes { get; init; }
}

/// <summary>One compute that an account can use.</summary>
public sealed record ComputeAnswer
{
    /// <summary><c>comp_…</c> for a machine, <c>provider_…</c> for a provider as a whole.</summary>
    public required string ComputeId { get; init; }

    /// <summary>For people.</summary>
    public required string Label { get; init; }

    /// <summary>The provider's name.</summary>
    public required string Provider { get; init; }

    /// <summary>
    /// <c>ready</c> when usable, <c>offline</c> for a machine that is not connected, <c>unconfigured</c> when it lacks something.
    /// </summary>
    public required string Status { get; init; }

    /// <summary>What it lacks; null when ready.</summary>
    public required string? Reason { get; init; }

    /// <summary><c>private</c> for the account's own machines, <c>shared</c> otherwise.</summary>
    public required string Scope { get; init; }

    /// <summary>What it is, a word such as <c>host</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>When the machine was last heard of; null for a provider, which sends no heartbeats.</summary>
    public required DateTimeOffset? LastHeartbeatAt { get; init; }

    /// <summary>What it can do.</summary>
    public required ComputeCapabilities Capabilities { get; init; }

    /// <summary>The account that owns the machine; null for a provider.</summary>
    public required string? OwnerId { get; init; }

    internal static ComputeAnswer Of(ComputeInfo compute) => new()
    {
        ComputeId = compute.ComputeId,
        Label = compute.Label,
        Provider = compute.Provider,
        Status = compute.Status switch
        {
            ComputeStatus.Ready => "ready",
            ComputeStatus.Offline => "offline",
            ComputeStatus.Unconfigured => "unconfigured",
            _ => throw new UnreachableException($"No word for {compute.Status}."),
        },
        Reason = compute.Reason,
        Scope = compute.Scope,
        Kind = compute.Kind,
        LastHeartbeatAt = null,
        Capabilities = new() { Runtimes = [.. compute.Runtimes.Select(RunAnswer.WordOf)], CliTools = [], Network = compute.Network },
        OwnerId = null,
    };
}

/// <summary>What a compute can do.</summary>
public sealed record ComputeCapabilities
{
    /// <summary>What can execute code there: <c>shell</c>, <c>node</c>, <c>python</c>.</summary>
    public required ImmutableArray<string> Runtimes { get; init; }

    /// <summary>Agent programs that are installed there; a provider's sandboxes have none.</summary>
    public required ImmutableArray<string> CliTools { get; init; }

    /// <summary>Whether a sandbox may reach the network.</summary>
    public required bool Network { get; init; }
}
