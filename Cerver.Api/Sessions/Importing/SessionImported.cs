using System.Text.Json.Serialization;

namespace Cerver.Api.Sessions.Importing;

/// <summary>What became of a file.</summary>
public sealed record SessionImported
{
    /// <summary>The session, always the same for the same content; null when the file has no entries, so that there is nothing to make a session of.</summary>
    public required string? SessionId { get; init; }

    /// <summary>For people: the name it was given, or else the title in the file, or else what the user said first.</summary>
    public required string? SessionName { get; init; }

    /// <summary><c>idle</c>, or <c>ended</c> for an export of a session that had ended.</summary>
    public required string? Status { get; init; }

    /// <summary>The agent program that wrote it, or null.</summary>
    public required string? Harness { get; init; }

    /// <summary>What the file is: <c>claude-code</c>, <c>codex</c> or <c>cerver</c>.</summary>
    public required string Format { get; init; }

    /// <summary>Whether this call completed the session; false when it was there already.</summary>
    public required bool Imported { get; init; }

    /// <summary>How many entries the transcript has now.</summary>
    [JsonPropertyName("transcriptTotal")]
    public required long TranscriptTotal { get; init; }

    /// <summary>Lines that could not be read.</summary>
    public required SkippedLines Skipped { get; init; }
}

/// <summary>Lines that could not be read.</summary>
public sealed record SkippedLines
{
    /// <summary>How many.</summary>
    public required int Count { get; init; }

    /// <summary>The numbers of the first ten; the first line of a file is 1.</summary>
    public required ImmutableArray<int> Lines { get; init; }
}
