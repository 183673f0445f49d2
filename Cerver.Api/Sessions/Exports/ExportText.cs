using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Exports;

/// <summary>Writes text of callers so that it stays where it was put.</summary>
internal static class ExportText
{
    /// <summary>Whatever anybody takes for the end of a line.</summary>
    public static SearchValues<char> AnyLineBreak { get; } = SearchValues.Create("\n\r\v\f\u0085\u2028\u2029");

    public static void WriteText(this IBufferWriter<byte> output, ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, output);

    /// <summary>Writes a short text of a caller within a line: what would end the line becomes a space.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="text">The text.</param>
    /// <param name="escaped">What gets a backslash before it.</param>
    public static void WriteWord(this IBufferWriter<byte> output, ReadOnlySpan<char> text, SearchValues<char>? escaped = null)
    {
        var word = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (escaped?.Contains(character) == true)
            {
                word.Append('\\');
            }

            word.Append(char.IsControl(character) || character is '\u2028' or '\u2029' ? ' ' : character);
        }

        output.WriteText(word.ToString());
    }

    /// <summary>Writes a text with a prefix before each of its lines, and ends the last one.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="text">The text. Its line breaks stay what they are.</param>
    /// <param name="prefix">What tells every line of it from ours.</param>
    /// <param name="breaks">After what a line begins; <c>\r\n</c> is one.</param>
    public static void WriteLines(this IBufferWriter<byte> output, ReadOnlySpan<char> text, ReadOnlySpan<byte> prefix, SearchValues<char> breaks)
    {
        var rest = text;
        do
        {
            var end = rest.IndexOfAny(breaks);
            var length = end < 0 ? rest.Length : end + (rest[end..].StartsWith("\r\n") ? 2 : 1);
            output.Write(prefix);
            output.WriteText(rest[..length]);
            rest = rest[length..];
        }
        while (!rest.IsEmpty);

        output.EndLine(text);
    }

    /// <summary>Ends the line that a text may have left open.</summary>
    public static void EndLine(this IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        if (!text.EndsWith('\n'))
        {
            output.Write("\n"u8);
        }
    }

    /// <summary>A number.</summary>
    public static void WriteNumber(this IBufferWriter<byte> output, long number) => output.WriteText(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A time as RFC 3339 writes it, to the microsecond.</summary>
    public static void WriteTime(this IBufferWriter<byte> output, DateTimeOffset time) =>
        output.WriteText(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture));

    /// <summary>The word for who speaks.</summary>
    public static string WordOf(EntryRole role) => role switch
    {
        EntryRole.User => "user",
        EntryRole.Assistant => "assistant",
        EntryRole.Tool => "tool",
        EntryRole.System => "system",
        _ => throw new UnreachableException($"No word for {role}."),
    };
}
