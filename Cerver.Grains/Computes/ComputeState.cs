namespace Cerver.Grains.Computes;

/// <summary>What a sandbox is, kept from its first attachment to its release.</summary>
[GenerateSerializer, Alias("cerver.compute.state")]
internal sealed record ComputeState
{
    /// <summary>The session it belongs to.</summary>
    [Id(0)]
    public string SessionId { get; init; } = "";

    /// <summary>Who provides it.</summary>
    [Id(1)]
    public string Provider { get; init; } = "";

    /// <summary>Whether it has the network.</summary>
    [Id(2)]
    public bool Network { get; init; }

    /// <summary>When it was last taken down on purpose, or null when it never was. It may be up again since.</summary>
    [Id(3)]
    public DateTimeOffset? DownSince { get; init; }

    /// <summary>The machine of the account that has it, or null when it is not on one.</summary>
    [Id(4)]
    public string? ComputeId { get; init; }

    /// <summary>Whether the relay of that machine is not ours and drives an agent in it.</summary>
    [Id(5)]
    public bool IsOfAgents { get; init; }

    /// <summary>That relay's own name for it, or null when it has none yet.</summary>
    [Id(6)]
    public string? RemoteId { get; init; }

    /// <summary>Whether this is what somebody wants, whatever became of it since.</summary>
    public bool Is(ComputeState wanted) => this with { DownSince = null, IsOfAgents = false, RemoteId = null } == wanted;
}
