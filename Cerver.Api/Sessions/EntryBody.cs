using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Cerver.Api.Requests;

namespace Cerver.Api.Sessions;

/// <summary>Adds entries to the end of a transcript.</summary>
public sealed record AppendBody
{
    /// <summary>1 to 1,000 entries, in the order in which they belong.</summary>
    [Required, Length(1, 1_000)]
    public EntryBody?[]? Entries { get; set; }

    /// <summary>
    /// How many entries the transcript has as far as you know. With another number nothing is added and the answer is 409 <c>conflict</c>
    /// with the <c>transcriptTotal</c>; left out, entries go to the end whatever came before them.
    /// </summary>
    [Range(0, long.MaxValue)]
    [JsonConverter(typeof(CountConverter))]
    public long? ExpectedTotal { get; set; }
}

/// <summary>One entry to add.</summary>
public sealed record EntryBody
{
    /// <summary>
    /// When it was said, as RFC 3339 writes it; left out, the gateway stamps it. The order of a transcript is the order of arrival,
    /// whatever this says.
    /// </summary>
    [JsonConverter(typeof(TimestampConverter))]
    public DateTimeOffset? At { get; set; }

    /// <summary>Who speaks: <c>user</c>, <c>assistant</c>, <c>tool</c> or <c>system</c>.</summary>
    [Required, AllowedValues("user", "assistant", "tool", "system")]
    public string? Role { get; set; }

    /// <summary>
    /// What it is: <c>text</c> when left out, <c>thinking</c>, <c>tool_use</c>, <c>tool_result</c>, or a word of your own of at most 64
    /// characters.
    /// </summary>
    public string? Kind { get; set; }

    /// <summary>The text, at most 1 MiB. Structured data goes in as a JSON string. Only a <c>tool_use</c> may do without.</summary>
    public string? Content { get; set; }

    /// <summary>Ties a tool's result to its call.</summary>
    public string? ToolId { get; set; }

    /// <summary>The tool.</summary>
    public string? ToolName { get; set; }

    /// <summary>What the tool was called with.</summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? ToolInput { get; set; }

    /// <summary>Whether the tool failed.</summary>
    public bool? IsError { get; set; }
}
