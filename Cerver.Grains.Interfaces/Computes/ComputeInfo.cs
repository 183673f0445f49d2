using Cerver.Runs;

namespace Cerver.Computes;

/// <summary>Whether a compute can be used.</summary>
[GenerateSerializer, Alias("cerver.compute.status")]
public enum ComputeStatus
{
    /// <summary>It can.</summary>
    Ready = 0,

    /// <summary>A machine that is not connected.</summary>
    Offline = 1,

    /// <summary>It lacks something; the reason says what.</summary>
    Unconfigured = 2,
}

/// <summary>One compute that an account can use.</summary>
/// <param name="ComputeId"><c>comp_…</c> for a machine, <c>provider_…</c> for a provider as a whole.</param>
/// <param name="Label">For people.</param>
/// <param name="Provider">The provider's name.</param>
/// <param name="Status">Whether it can be used.</param>
/// <param name="Reason">What it lacks, or null when ready.</param>
/// <param name="Scope"><c>private</c> for the account's own machines, <c>shared</c> otherwise.</param>
/// <param name="Kind">What it is, a word such as <c>host</c>.</param>
/// <param name="Runtimes">What can execute code there.</param>
/// <param name="Network">Whether a sandbox may reach the network.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.info")]
public sealed record ComputeInfo(
    [property: Id(0)] string ComputeId,
    [property: Id(1)] string Label,
    [property: Id(2)] string Provider,
    [property: Id(3)] ComputeStatus Status,
    [property: Id(4)] string? Reason,
    [property: Id(5)] string Scope,
    [property: Id(6)] string Kind,
    [property: Id(7)] ImmutableArray<SandboxRuntime> Runtimes,
    [property: Id(8)] bool Network)
{
    /// <summary>
    /// The hosts that have it ready now; one of them is empty when any silo can bring its sandboxes up. Not for callers of the API.
    /// </summary>
    [Id(9)]
    public ImmutableArray<string> Hosts { get; init; } = [""];

    /// <summary>What its sandboxes can do and what limits they have; null when it does not say, as a silo of an older version does not.</summary>
    [Id(10)]
    public ComputeCapabilities? Capabilities { get; init; }

    /// <summary>What is known of an account's own machine; null for a provider.</summary>
    [Id(12)]
    public MachineInfo? Machine { get; init; }
}

/// <summary>An account's own machine.</summary>
/// <param name="OwnerId">The account.</param>
/// <param name="LastHeartbeatAt">When it last sent a heartbeat, or registered.</param>
/// <param name="Capabilities">What it says that it can do, a JSON object without tokens, or null.</param>
/// <param name="Metadata">What else it says of itself, a JSON object without tokens, or null; left out of lists.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.machine")]
public sealed record MachineInfo(
    [property: Id(0)] string OwnerId,
    [property: Id(1)] DateTimeOffset LastHeartbeatAt,
    [property: Id(2)] string? Capabilities,
    [property: Id(3)] string? Metadata);

/// <summary>Why no compute could take a session: what each candidate lacks.</summary>
/// <param name="Requirements">The requirements, a JSON object as the caller sent it, or null.</param>
/// <param name="Candidates">Every compute that was looked at.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.report")]
public sealed record ComputeReport(
    [property: Id(0)] string? Requirements,
    [property: Id(1)] ImmutableArray<ComputeCandidate> Candidates);

/// <summary>One compute that was looked at.</summary>
/// <param name="Provider">The provider's name.</param>
/// <param name="ComputeId">The compute's id, or null for a provider that this gateway does not have.</param>
/// <param name="Ready">Whether it is usable as such.</param>
/// <param name="Reasons">What stands against it, a sentence each.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.candidate")]
public sealed record ComputeCandidate(
    [property: Id(0)] string Provider,
    [property: Id(1)] string? ComputeId,
    [property: Id(2)] bool Ready,
    [property: Id(3)] ImmutableArray<string> Reasons);
