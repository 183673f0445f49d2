namespace Cerver.Sessions;

/// <summary>Who speaks. The numbers are stored.</summary>
[GenerateSerializer, Alias("cerver.session.entry-role")]
public enum EntryRole
{
    /// <summary>The person or program that asks.</summary>
    User = 1,

    /// <summary>The model.</summary>
    Assistant = 2,

    /// <summary>A tool that the model called.</summary>
    Tool = 3,

    /// <summary>The gateway or the harness.</summary>
    System = 4,
}

/// <summary>The kinds of entry that the contract names. Other kinds are kept as they are.</summary>
public static class EntryKinds
{
    /// <summary>Plain text; what an entry is when it names no kind.</summary>
    public const string Text = "text";

    /// <summary>A model's call of a tool; the only kind whose content may be empty.</summary>
    public const string ToolUse = "tool_use";

    /// <summary>What a tool answered.</summary>
    public const string ToolResult = "tool_result";

    /// <summary>The session went on with other compute.</summary>
    public const string ComputeSwitch = "compute_switch";

    /// <summary>Somebody asked for a secret.</summary>
    public const string SecretAccess = "secret_access";
}

/// <summary>One entry of a transcript.</summary>
/// <param name="At">When it was said; null in a request means now. Microseconds are kept.</param>
/// <param name="Role">Who speaks.</param>
/// <param name="Kind">One of <see cref="EntryKinds"/> or a word of the caller's, at most 64 characters.</param>
/// <param name="Content">The text, at most 1 MiB of UTF-8, or null.</param>
/// <param name="ToolId">Ties a tool's result to its call.</param>
/// <param name="ToolName">The tool.</param>
/// <param name="ToolInput">A JSON object: what the tool was called with.</param>
/// <param name="IsError">Whether the tool failed.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.entry")]
public sealed record TranscriptEntry(
    [property: Id(0)] DateTimeOffset? At,
    [property: Id(1)] EntryRole Role,
    [property: Id(2)] string Kind,
    [property: Id(3)] string? Content,
    [property: Id(4)] string? ToolId = null,
    [property: Id(5)] string? ToolName = null,
    [property: Id(6)] string? ToolInput = null,
    [property: Id(7)] bool? IsError = null);
