using System.Buffers;
using System.Diagnostics;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Exports;

/// <summary>How an exported transcript is written. It keeps nothing between two calls, so one serves every export.</summary>
internal abstract class TranscriptFormat
{
    /// <summary>For people and models that read: the format when none is asked for.</summary>
    public const string Text = "text";

    /// <summary>For people who read it rendered.</summary>
    public const string Markdown = "markdown";

    /// <summary>For programs: one JSON object a line.</summary>
    public const string JsonLines = "jsonl";

    private static readonly TextFormat AsText = new();
    private static readonly MarkdownFormat AsMarkdown = new();
    private static readonly JsonLinesFormat AsJsonLines = new();

    /// <summary>The words for the formats.</summary>
    public static ImmutableArray<string> Words { get; } = [Text, Markdown, JsonLines];

    /// <summary>What goes into the <c>Content-Type</c> header.</summary>
    public abstract string ContentType { get; }

    /// <summary>What the name of a file of this format ends with, without the dot.</summary>
    public abstract string Extension { get; }

    /// <summary>The format of a word of <see cref="Words"/>.</summary>
    public static TranscriptFormat Of(string word) => word switch
    {
        Text => AsText,
        Markdown => AsMarkdown,
        JsonLines => AsJsonLines,
        _ => throw new UnreachableException($"No format for {word}."),
    };

    /// <summary>Writes what comes before the entries.</summary>
    public abstract void WriteHead(IBufferWriter<byte> output, SessionRecord session);

    /// <summary>Writes the entry at a position.</summary>
    public abstract void WriteEntry(IBufferWriter<byte> output, long position, TranscriptEntry entry);
}
