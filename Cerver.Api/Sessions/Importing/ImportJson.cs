using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Cerver.Api.Answers;
using Cerver.Api.Requests;

namespace Cerver.Api.Sessions.Importing;

/// <summary>Reads JSON that other programs wrote, as far as it can be read: what is not there, or is of another type than expected, is null.</summary>
internal static class ImportJson
{
    /// <summary>Objects and arrays within each other, beyond which a line cannot be read.</summary>
    private const int MaxDepth = 128;

    /// <summary>A backslash, a <c>u</c> and four digits.</summary>
    private const int EscapeLength = 6;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth };
    private static readonly JsonObjectConverter Objects = new();

    /// <summary>A line as an object, or null when it is none. Whoever takes it disposes of it.</summary>
    public static JsonDocument? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            var document = JsonDocument.Parse(Repair(line), Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            // Not a line of ours. The caller counts it.
            return null;
        }
    }

    /// <summary>A member that is a text.</summary>
    public static string? Text(this JsonElement value, string name) =>
        value.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>A member that is an object.</summary>
    public static JsonElement? Object(this JsonElement value, string name) =>
        value.Member(name) is { ValueKind: JsonValueKind.Object } found ? found : null;

    /// <summary>The elements of a member that is an array; none when it is not.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement value, string name) =>
        value.Member(name) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : [];

    /// <summary>Whether a member is there and true.</summary>
    public static bool Flag(this JsonElement value, string name) => value.Member(name)?.ValueKind == JsonValueKind.True;

    /// <summary>A member that is a time with an offset from UTC.</summary>
    public static DateTimeOffset? Time(this JsonElement value, string name) =>
        value.Text(name) is { } text && TimestampText.TryParse(text, out var time) ? time : null;

    /// <summary>A member, or null when there is none.</summary>
    public static JsonElement? Member(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member) ? member : null;

    /// <summary>An object as the input of a tool is kept. What every reader after us cannot read is kept as a text in one that all can.</summary>
    public static string ToolInput(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            try
            {
                var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(value.GetRawText()));
                reader.Read();
                return Objects.Read(ref reader, typeof(string), JsonSerializerOptions.Default);
            }
            catch (JsonException)
            {
                // A member twice, a number no double can hold, or too deep: still worth keeping.
                return ToolInput("json", value.GetRawText());
            }
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => ToolInput("input", value.GetString()!),
            JsonValueKind.Null or JsonValueKind.Undefined => "{}",
            _ => ToolInput("input", value.GetRawText()),
        };
    }

    /// <summary>The arguments of a tool that stand there as a text, which mostly is an object.</summary>
    public static string ToolArguments(string arguments)
    {
        using var document = Parse(Encoding.UTF8.GetBytes(arguments));
        return document is null ? ToolInput("arguments", arguments) : ToolInput(document.RootElement);
    }

    /// <summary>
    /// Programs cut texts between the halves of a character, and write what they were given, so that a line may hold halves and bytes that are no text. They
    /// become the sign for an unreadable character.
    /// </summary>
    private static ReadOnlyMemory<byte> Repair(ReadOnlyMemory<byte> line)
    {
        var valid = Utf8.IsValid(line.Span) ? line : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line.Span));
        return valid.Span.IndexOf("\\ud"u8) < 0 && valid.Span.IndexOf("\\uD"u8) < 0 ? valid : RepairHalves(valid.ToArray());
    }

    private static byte[] RepairHalves(byte[] line)
    {
        var at = 0;
        while (at < line.Length)
        {
            if (line[at] != (byte)'\\')
            {
                at++;
            }
            else if (Escaped(line, at) is not { } unit)
            {
                at += 2;
            }
            else if (char.IsHighSurrogate(unit) && Escaped(line, at + EscapeLength) is { } next && char.IsLowSurrogate(next))
            {
                at += 2 * EscapeLength;
            }
            else
            {
                if (char.IsSurrogate(unit))
                {
                    "fffd"u8.CopyTo(line.AsSpan(at + 2));
                }

                at += EscapeLength;
            }
        }

        return line;
    }

    /// <summary>What is escaped with its number at a place, or null.</summary>
    private static char? Escaped(ReadOnlySpan<byte> line, int at) =>
        at + EscapeLength <= line.Length && line[at] == (byte)'\\' && line[at + 1] == (byte)'u'
        && ushort.TryParse(line.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;

    private static string ToolInput(string name, string text)
    {
        using var buffer = new PooledBuffer();
        using (var writer = new Utf8JsonWriter(buffer, JsonAnswer.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString(name, text);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.Written.Span);
    }
}
