using System.Text.Json.Serialization;
using Cerver.Computes;
using Cerver.Runs;

namespace Cerver.Relay;

/// <summary>What this machine says that it can do.</summary>
/// <param name="Runtimes">What executes code here.</param>
/// <param name="CliTools">Programs for agents; this relay drives none.</param>
/// <param name="Network">Whether a sandbox may reach the network.</param>
/// <param name="CerverRuns">The version of the protocol for runs whose output is numbered and kept until it has arrived.</param>
/// <param name="Reason">Why no sandbox can be had, or null.</param>
internal sealed record RelayCapabilities(ImmutableArray<string> Runtimes, ImmutableArray<string> CliTools, bool Network, int CerverRuns, string? Reason)
{
    private const int Version = 1;

    /// <summary>What follows from the sandboxes of this machine.</summary>
    public static RelayCapabilities Of(ComputeInfo compute) =>
        new([.. compute.Runtimes.Select(WordOf)], [], compute.Network, Version, compute.Reason);

    private static string WordOf(SandboxRuntime runtime) => runtime.ToString().ToLowerInvariant();
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
