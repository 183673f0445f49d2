using System.Buffers;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Exports;

/// <summary>
/// Markdown. What people and models say is a block quote, in which their own Markdown works and ends; what tools take and give is a fence.
/// </summary>
internal sealed class MarkdownFormat : TranscriptFormat
{
    private const int ShortestFence = 3;

    /// <summary>What Markdown takes for the end of a line, and so of a quoted one.</summary>
    private static readonly SearchValues<char> LineBreaks = SearchValues.Create("\n\r");

    private static readonly SearchValues<char> Punctuation = SearchValues.Create(@"\`*_[]<>#&~|");

    public override string ContentType => "text/markdown; charset=utf-8";

    public override string Extension => "md";

    public override void WriteHead(IBufferWriter<byte> output, SessionRecord session)
    {
        output.Write("# "u8);
        output.WriteWord(session.SessionName, Punctuation);
        output.Write("\n\n- Session: `"u8);
        output.WriteText(session.SessionId);
        output.Write("`\n- Created: "u8);
        output.WriteTime(session.CreatedAt);
        output.Write("\n- Entries: "u8);
        output.WriteNumber(session.TranscriptTotal);
        output.Write("\n"u8);
    }

    public override void WriteEntry(IBufferWriter<byte> output, long position, TranscriptEntry entry)
    {
        output.Write("\n## "u8);
        output.WriteNumber(position);
        WritePart(output, ExportText.WordOf(entry.Role));
        WritePart(output, entry.Kind == EntryKinds.Text ? null : entry.Kind);
        WritePart(output, entry.ToolName);
        WritePart(output, entry.IsError == true ? "failed" : null);
        output.Write("\n\n"u8);
        if (entry.At is { } at)
        {
            output.WriteTime(at);
        }

        WritePart(output, entry.ToolId);
        output.Write("\n"u8);
        if (!string.IsNullOrEmpty(entry.Content))
        {
            output.Write("\n"u8);
            WriteContent(output, entry.Kind, entry.Content);
        }

        if (entry.ToolInput is not null)
        {
            output.Write("\n"u8);
            WriteFenced(output, entry.ToolInput, "json"u8);
        }
    }

    private static void WritePart(IBufferWriter<byte> output, string? word)
    {
        if (word is not null)
        {
            output.Write(" · "u8);
            output.WriteWord(word, Punctuation);
        }
    }

    private static void WriteContent(IBufferWriter<byte> output, string kind, string content)
    {
        if (kind is EntryKinds.Text or EntryKinds.ToolUse or "thinking")
        {
            output.WriteLines(content, "> "u8, LineBreaks);
        }
        else
        {
            WriteFenced(output, content, language: default);
        }
    }

    /// <summary>
    /// A fence ends only with a line of at least as many backticks, so it has more than there are together anywhere in what it holds.
    /// </summary>
    private static void WriteFenced(IBufferWriter<byte> output, string text, ReadOnlySpan<byte> language)
    {
        var backticks = Math.Max(ShortestFence, LongestRun(text, '`') + 1);
        WriteFence(output, backticks);
        output.Write(language);
        output.Write("\n"u8);
        output.WriteText(text);
        output.EndLine(text);
        WriteFence(output, backticks);
        output.Write("\n"u8);
    }

    private static void WriteFence(IBufferWriter<byte> output, int backticks) => output.WriteText(new string('`', backticks));

    private static int LongestRun(ReadOnlySpan<char> text, char character)
    {
        var longest = 0;
        for (var start = text.IndexOf(character); start >= 0; start = text.IndexOf(character))
        {
            text = text[start..];
            var end = text.IndexOfAnyExcept(character);
            var length = end < 0 ? text.Length : end;
            longest = Math.Max(longest, length);
            text = text[length..];
        }

        return longest;
    }
}
