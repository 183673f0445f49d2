namespace Cerver.Grains.Computes.Machines;

/// <summary>What is kept of a machine, from its registration until it is deleted.</summary>
[GenerateSerializer, Alias("cerver.machine.state")]
internal sealed record MachineState
{
    /// <summary>For people.</summary>
    [Id(0)]
    public string Label { get; init; } = "";

    /// <summary>What it is, a word.</summary>
    [Id(1)]
    public string Kind { get; init; } = "";

    /// <summary>What it says that it can do, a JSON object without tokens, or null.</summary>
    [Id(2)]
    public string? Capabilities { get; init; }

    /// <summary>What else it says of itself, a JSON object without tokens, or null.</summary>
    [Id(3)]
    public string? Metadata { get; init; }

    /// <summary>What it says of its own state, a word.</summary>
    [Id(4)]
    public string Status { get; init; } = MachineRules.Online;

    /// <summary>When it last sent a heartbeat, or registered.</summary>
    [Id(5)]
    public DateTimeOffset LastHeartbeatAt { get; init; }
}
