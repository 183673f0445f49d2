using System.Text.Json.Serialization;
using Cerver.Api.Sessions;
using Cerver.Sessions;

namespace Cerver.Api.Mcp;

/// <summary>What a model needs to know of a session. The whole record may be a hundred times as large.</summary>
internal sealed record SessionSummary
{
    private const int MaxTaskBytes = 400;

    public required string SessionId { get; init; }

    public required string SessionName { get; init; }

    public required string Status { get; init; }

    public required string? EndReason { get; init; }

    public required string? Task { get; init; }

    public required string? Harness { get; init; }

    public required string Provider { get; init; }

    public required string? ComputeId { get; init; }

    public required string? ParentSessionId { get; init; }

    public required long TranscriptTotal { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required DateTime UpdatedAt { get; init; }

    public static SessionSummary Of(SessionRecord session) => new()
    {
        SessionId = session.SessionId,
        SessionName = session.SessionName,
        Status = StatusWords.Of(session.Status),
        EndReason = session.EndReason,
        Task = session.Task is { } task ? ToolAnswer.Shorten(task, MaxTaskBytes) : null,
        Harness = session.Harness,
        Provider = session.Provider,
        ComputeId = session.ComputeId,
        ParentSessionId = session.ParentSessionId,
        TranscriptTotal = session.TranscriptTotal,
        CreatedAt = session.CreatedAt.UtcDateTime,
        UpdatedAt = session.UpdatedAt.UtcDateTime,
    };
}

/// <summary>A page of sessions.</summary>
internal sealed record SessionSummaries
{
    public required ImmutableArray<SessionSummary> Sessions { get; init; }

    public required string? NextCursor { get; init; }
}

/// <summary>Entries were added.</summary>
internal sealed record AppendedEntries
{
    public required string SessionId { get; init; }

    public required int Appended { get; init; }

    public required long TranscriptTotal { get; init; }
}

/// <summary>The user's input was added.</summary>
internal sealed record TakenInput
{
    public required string SessionId { get; init; }

    public required string Status { get; init; }

    public required long TranscriptTotal { get; init; }
}

/// <summary>How tools write what the routes do not answer in this form.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AppendedEntries))]
[JsonSerializable(typeof(SessionSummaries))]
[JsonSerializable(typeof(TakenInput))]
internal sealed partial class ToolJson : JsonSerializerContext;
