using System.Text.Json;
using Cerver.Computes;
using Cerver.Grains.Computes.Relays;
using Cerver.Runs;

namespace Cerver.Grains.Computes.Machines;

/// <summary>What a machine's own words mean for those who look for compute. Whatever is not understood in them is ignored. Pure.</summary>
/// <param name="Runtimes">What executes code there, of what we know. A machine that does not say has a shell, and another relay than ours executes nothing else.</param>
/// <param name="Sandboxes">What its sandboxes can do and what limits they have; null when its relay is another than ours, which drives agents and does not say.</param>
/// <param name="Network">Whether a sandbox may reach the network. Under another relay than ours it does, and under ours unless that says that its operator does not allow it.</param>
internal sealed record MachineCapabilities(ImmutableArray<SandboxRuntime> Runtimes, ComputeCapabilities? Sandboxes, bool Network = true)
{
    /// <summary>What sandboxes under our own relay can do, of whatever version it is.</summary>
    private const ComputeFeatures OurRelay = ComputeFeatures.Reattach | ComputeFeatures.Replay | ComputeFeatures.Pause;

    /// <summary>Understands what a machine says.</summary>
    /// <param name="json">A JSON object, or null.</param>
    public static MachineCapabilities Read(string? json)
    {
        if (json is null)
        {
            return new([SandboxRuntime.Shell], Sandboxes: null);
        }

        using var document = JsonDocument.Parse(json);
        var said = document.RootElement;
        return Find(said, RelayWords.Capability, JsonValueKind.Number) is null
            ? new([.. RuntimesOf(said).Where(static runtime => runtime == SandboxRuntime.Shell)], Sandboxes: null)
            : new(RuntimesOf(said), SandboxesOf(said), Find(said, RelayWords.Network, JsonValueKind.False) is null);
    }

    private static ImmutableArray<SandboxRuntime> RuntimesOf(JsonElement said) => Find(said, "runtimes", JsonValueKind.Array) is { } named
        ? [.. named.EnumerateArray().Select(RuntimeOf).OfType<SandboxRuntime>().Distinct()]
        : [SandboxRuntime.Shell];

    private static SandboxRuntime? RuntimeOf(JsonElement word) => word switch
    {
        _ when word.ValueKind != JsonValueKind.String => null,
        _ when word.ValueEquals("shell") => SandboxRuntime.Shell,
        _ when word.ValueEquals("node") => SandboxRuntime.Node,
        _ when word.ValueEquals("python") => SandboxRuntime.Python,
        _ => null,
    };

    private static ComputeCapabilities SandboxesOf(JsonElement said)
    {
        var limits = Find(said, RelayWords.Limits, JsonValueKind.Object);
        return new(
            Find(said, RelayWords.Files, JsonValueKind.True) is null ? OurRelay : OurRelay | ComputeFeatures.Files,
            LimitOf(limits, "memory_bytes"),
            LimitOf(limits, "cpus"),
            LimitOf(limits, "processes"),
            LimitOf(limits, "disk_bytes"));
    }

    private static ComputeLimit LimitOf(JsonElement? limits, string name) =>
        limits is { } named
        && Find(named, name, JsonValueKind.Object) is { } limit
        && Find(limit, "held_by", JsonValueKind.String) is { } word
        && ComputeHoldWords.Find(word.GetString()) is var hold and not ComputeHold.None
        && Find(limit, "value", JsonValueKind.Number) is { } number
        && number.TryGetDecimal(out var value)
        && value > 0
            ? new(hold, value)
            : ComputeLimit.None;

    private static JsonElement? Find(JsonElement said, string name, JsonValueKind kind) =>
        said.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : null;
}
