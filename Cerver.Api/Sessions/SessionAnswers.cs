using System.Text.Json.Serialization;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>A session that was created.</summary>
public sealed record SessionCreated
{
    /// <summary>UUIDv7, 36 characters.</summary>
    public required string SessionId { get; init; }

    /// <summary>For people.</summary>
    public required string SessionName { get; init; }

    /// <summary><c>running</c> with compute, <c>idle</c> without.</summary>
    public required string Status { get; init; }

    /// <summary>Who provides its compute; <c>none</c> for a transcript alone.</summary>
    public required string Provider { get; init; }

    /// <summary>The compute it runs on, or null.</summary>
    public required string? ComputeId { get; init; }

    /// <summary>The sandbox attached to it, or null.</summary>
    public required string? SandboxId { get; init; }

    /// <summary>The agent program that drives it, or null.</summary>
    public required string? Harness { get; init; }

    /// <summary>What its compute took.</summary>
    public required SessionMetricsBody Metrics { get; init; }

    /// <summary>How its compute was chosen.</summary>
    public required RoutingBody Routing { get; init; }

    internal static SessionCreated Of(SessionRecord session) => new()
    {
        SessionId = session.SessionId,
        SessionName = session.SessionName,
        Status = StatusWords.Of(session.Status),
        Provider = session.Provider,
        ComputeId = session.ComputeId,
        SandboxId = SessionFields.SandboxOf(session),
        Harness = session.Harness,
        Metrics = SessionMetricsBody.Of(session),
        Routing = new() { RecommendedProvider = session.Provider, Confidence = 1, FallbackOrder = [] },
    };
}

/// <summary>How compute was chosen.</summary>
public sealed record RoutingBody
{
    /// <summary>The provider that was taken.</summary>
    public required string RecommendedProvider { get; init; }

    /// <summary>From 0 to 1. Compute is chosen by rules, which are certain: 1.</summary>
    public required double Confidence { get; init; }

    /// <summary>What would have been taken next.</summary>
    public required ImmutableArray<string> FallbackOrder { get; init; }
}

/// <summary>What a session's compute took.</summary>
public sealed record SessionMetricsBody
{
    /// <summary>How long the sandbox took to come up, in milliseconds; null when there never was one.</summary>
    public required long? ProvisionTimeMs { get; init; }

    /// <summary>How many runs were started.</summary>
    public required long RunCount { get; init; }

    /// <summary>How long the finished runs took together, in milliseconds.</summary>
    public required long RunTimeMs { get; init; }

    /// <summary>Why its agent was paused, as the relay of its machine said; left out while it is not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PauseReason { get; init; }

    internal static SessionMetricsBody Of(SessionRecord session) => new()
    {
        ProvisionTimeMs = session.Metrics.ProvisionTimeMs,
        RunCount = session.Metrics.RunCount,
        RunTimeMs = session.Metrics.RunTimeMs,
        PauseReason = SessionFields.PauseReasonOf(session),
    };
}

/// <summary>A status that was taken.</summary>
public sealed record StatusTaken
{
    /// <summary>Always true.</summary>
    public bool Ok { get; } = true;

    /// <summary>The session.</summary>
    public required string SessionId { get; init; }

    /// <summary>Its status now.</summary>
    public required string Status { get; init; }
}

/// <summary>What a session's compute took.</summary>
public sealed record SessionMetricsAnswer
{
    /// <summary>The session.</summary>
    public required string SessionId { get; init; }

    /// <summary>The figures.</summary>
    public required SessionMetricsBody Metrics { get; init; }
}

/// <summary>One page of sessions.</summary>
public sealed record SessionListAnswer
{
    /// <summary>The most recently active first.</summary>
    public required ImmutableArray<SessionRecord> Sessions { get; init; }

    /// <summary>Send it as <c>cursor</c> for the next page; null on the last.</summary>
    public required string? NextCursor { get; init; }
}

/// <summary>Entries were added, and are on disk.</summary>
public sealed record EntriesAppended
{
    /// <summary>Always true.</summary>
    public bool Ok { get; } = true;

    /// <summary>How many were added.</summary>
    public required int Appended { get; init; }

    /// <summary>How many entries the transcript has now.</summary>
    [JsonPropertyName("transcriptTotal")]
    public required long TranscriptTotal { get; init; }
}

/// <summary>The user's input was added, and is on disk.</summary>
public sealed record InputAccepted
{
    /// <summary>Always true.</summary>
    public bool Ok { get; } = true;

    /// <summary>The session.</summary>
    public required string SessionId { get; init; }

    /// <summary>What the session is doing now.</summary>
    public required string Status { get; init; }

    /// <summary>How many entries the transcript has now.</summary>
    [JsonPropertyName("transcriptTotal")]
    public required long TranscriptTotal { get; init; }
}

/// <summary>The session is closed for good.</summary>
public sealed record SessionClosed
{
    /// <summary>Always true.</summary>
    public bool Ok { get; } = true;

    /// <summary>The session.</summary>
    public required string SessionId { get; init; }

    /// <summary>Always <c>ended</c>.</summary>
    public string Status { get; } = "ended";
}
