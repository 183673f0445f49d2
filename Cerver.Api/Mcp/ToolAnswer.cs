using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Api.Answers;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>
/// What tools answer: an object for programs, a text for models, which is that object when nothing reads better, and a note when there is something to add.
/// </summary>
internal static class ToolAnswer
{
    /// <summary>How much text one answer carries, in bytes. Whoever reads it has to keep all of it in mind.</summary>
    public const int MaxTextBytes = 60_000;

    /// <summary>How much of it lists fill. The rest is for what stands around them.</summary>
    public const int MaxListBytes = 48_000;

    /// <summary>What a write says that its caller named and that had happened before.</summary>
    public const string Replayed = "[Cerver: this was done before under the same idempotency_key. The answer is the first one, and nothing was done again.]";

    /// <summary>An object.</summary>
    public static CallToolResult Of<T>(T value, JsonTypeInfo<T> type, string? note = null) =>
        Of(writer => JsonSerializer.Serialize(writer, value, type), textOf: null, note);

    /// <summary>An object, and a text that says the same.</summary>
    /// <param name="write">Writes the object.</param>
    /// <param name="textOf">Makes the text of it; null for the object itself.</param>
    /// <param name="note">What is to be added, or null.</param>
    public static CallToolResult Of(Action<Utf8JsonWriter> write, Func<JsonElement, string>? textOf, string? note = null)
    {
        using var buffer = new PooledBuffer();
        using (var writer = new Utf8JsonWriter(buffer, JsonAnswer.WriterOptions))
        {
            write(writer);
        }

        var content = JsonElement.Parse(buffer.Written.Span);
        var answer = Text(textOf is null ? Encoding.UTF8.GetString(buffer.Written.Span) : textOf(content), note);
        answer.StructuredContent = content;
        return answer;
    }

    /// <summary>A text.</summary>
    public static CallToolResult Text(string text, string? note = null) => new()
    {
        Content = note is null ? [new TextContentBlock { Text = text }] : [new TextContentBlock { Text = text }, new TextContentBlock { Text = note }],
    };

    /// <summary>How much of a text fits into a number of bytes, in characters.</summary>
    public static int FittingLength(ReadOnlySpan<char> text, int maxBytes)
    {
        // No character takes less than a byte.
        if (text.Length <= maxBytes && Encoding.UTF8.GetByteCount(text) <= maxBytes)
        {
            return text.Length;
        }

        var (length, bytes) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > maxBytes)
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return length;
    }

    /// <summary>A text that ends with an ellipsis where it does not fit.</summary>
    public static string Shorten(string text, int maxBytes) =>
        FittingLength(text, maxBytes) is var length && length == text.Length ? text : $"{text.AsSpan(0, length)}…";
}
