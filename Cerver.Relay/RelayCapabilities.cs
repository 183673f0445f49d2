using System.Text.Json.Serialization;
using Cerver.Computes;
using Cerver.Runs;

namespace Cerver.Relay;

/// <summary>What this machine says that it can do.</summary>
/// <param name="Runtimes">What executes code here.</param>
/// <param name="CliTools">Programs for agents; this relay drives none.</param>
/// <param name="Network">Whether a sandbox may reach the network.</param>
/// <param name="CerverRuns">The version of the protocol for runs whose output is numbered and kept until it has arrived.</param>
/// <param name="Files">Whether files of its sandboxes can be read and written from outside.</param>
/// <param name="Limits">What keeps a sandbox from taking the whole machine.</param>
/// <param name="Reason">Why no sandbox can be had, or null.</param>
internal sealed record RelayCapabilities(ImmutableArray<string> Runtimes, ImmutableArray<string> CliTools, bool Network, int CerverRuns, bool Files, RelayLimits? Limits, string? Reason)
{
    private const int Version = 1;

    /// <summary>What follows from the sandboxes of this machine.</summary>
    public static RelayCapabilities Of(ComputeInfo compute) =>
        new(
            [.. compute.Runtimes.Select(WordOf)],
            [],
            compute.Network,
            Version,
            compute.Capabilities?.Features.HasFlag(ComputeFeatures.Files) ?? false,
            compute.Capabilities is { } capabilities ? RelayLimits.Of(capabilities) : null,
            compute.Reason);

    private static string WordOf(SandboxRuntime runtime) => runtime.ToString().ToLowerInvariant();
}

/// <summary>What keeps a sandbox from taking the whole machine.</summary>
/// <param name="MemoryBytes">How much memory it may use.</param>
/// <param name="Cpus">How many processors it may keep busy.</param>
/// <param name="Processes">How many processes and threads it may have.</param>
/// <param name="DiskBytes">How much its files may take.</param>
internal sealed record RelayLimits(RelayLimit MemoryBytes, RelayLimit Cpus, RelayLimit Processes, RelayLimit DiskBytes)
{
    /// <summary>What the sandboxes of this machine have.</summary>
    public static RelayLimits Of(ComputeCapabilities capabilities) =>
        new(RelayLimit.Of(capabilities.Memory), RelayLimit.Of(capabilities.Cpu), RelayLimit.Of(capabilities.Processes), RelayLimit.Of(capabilities.Disk));
}

/// <summary>One limit of a sandbox.</summary>
/// <param name="HeldBy">What keeps it: a word of <see cref="ComputeHoldWords"/>.</param>
/// <param name="Value">The most there may be; null when nothing keeps it.</param>
internal sealed record RelayLimit(string HeldBy, decimal? Value)
{
    /// <summary>The limit in words.</summary>
    public static RelayLimit Of(ComputeLimit limit) => new(ComputeHoldWords.Of(limit.Hold), limit.Value);
}

/// <summary>Registers this machine.</summary>
internal sealed record Registration(
    string ComputeId, string Label, string Kind, string Provider, RelayCapabilities Capabilities, Connection Connection);

/// <summary>How it is reached.</summary>
internal sealed record Connection(string Transport);

/// <summary>Says that this machine is there.</summary>
internal sealed record Heartbeat(string Status, RelayCapabilities Capabilities);

/// <summary>How all of it is written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Registration))]
[JsonSerializable(typeof(Heartbeat))]
[JsonSerializable(typeof(RelayCapabilities))]
internal sealed partial class RelayProgramJson : JsonSerializerContext;
