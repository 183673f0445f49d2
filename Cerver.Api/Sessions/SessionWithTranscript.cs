namespace Cerver.Api.Sessions;

/// <summary>
/// A session's record and a part of its transcript. Names what <see cref="TranscriptAnswer"/> writes for the API reference, which takes the
/// members of the record from <see cref="SessionFields"/>.
/// </summary>
public sealed record SessionWithTranscript
{
    /// <summary>The entries that were asked for, in order, at consecutive positions.</summary>
    public required ImmutableArray<TranscriptEntryAnswer> Transcript { get; init; }
}

/// <summary>One entry of a transcript. Fields that an entry does not have are left out, but for <c>content</c>.</summary>
public sealed record TranscriptEntryAnswer
{
    /// <summary>When it was said.</summary>
    public required DateTime At { get; init; }

    /// <summary>Who speaks: <c>user</c>, <c>assistant</c>, <c>tool</c> or <c>system</c>.</summary>
    public required string Role { get; init; }

    /// <summary>What it is, such as <c>text</c>, <c>thinking</c>, <c>tool_use</c> or <c>tool_result</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The text, whatever the kind; null when there is none.</summary>
    public required string? Content { get; init; }

    /// <summary>Ties a tool's result to its call.</summary>
    public string? ToolId { get; init; }

    /// <summary>The tool.</summary>
    public string? ToolName { get; init; }

    /// <summary>What the tool was called with.</summary>
    public System.Text.Json.Nodes.JsonObject? ToolInput { get; init; }

    /// <summary>Whether the tool failed.</summary>
    public bool? IsError { get; init; }
}
