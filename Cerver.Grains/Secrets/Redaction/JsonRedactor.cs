using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>Puts <c>[secret:NAME]</c> in the place of values in JSON objects, which stay JSON objects: what is stored is answered as it is. Pure.</summary>
/// <remarks>
/// Nearly always a value stands within a text, where its mark can stand too. It may also be a number, or an object as some services give keys, and it may
/// seem to begin or to end within an escape.
/// </remarks>
internal static class JsonRedactor
{
    private const string OnlyMember = "redacted";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object without values.</summary>
    public static string? Redact(SecretMatcher matcher, string? json)
    {
        var redacted = TextRedactor.Redact(matcher, json);
        if (ReferenceEquals(redacted, json) || KindOf(redacted!) == JsonValueKind.Object)
        {
            return redacted;
        }

        var parts = Replace(matcher, json!);
        return KindOf(parts) == JsonValueKind.Object ? parts : $$"""{"{{OnlyMember}}":{{parts}}}""";
    }

    /// <summary>An object of which every part has a mark that a value is in: a text or a number, or what is around all that the value reaches over.</summary>
    private static string Replace(SecretMatcher matcher, string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var parts = PartsOf(bytes);
        var marks = new string?[parts.Count];
        foreach (var match in matcher.Find(bytes))
        {
            var at = LastBefore(parts, match.Start);
            while (at > 0 && parts[at].End < match.End)
            {
                at = parts[at].Around;
            }

            marks[at] ??= $"\"{match.Mark.Text}\"";
        }

        var redacted = new StringBuilder();
        var kept = 0;
        for (var i = 0; i < parts.Count; i++)
        {
            if (marks[i] is not { } mark || parts[i].Start < kept)
            {
                continue;
            }

            var part = parts[i];
            redacted.Append(Encoding.UTF8.GetString(bytes.AsSpan(kept..part.Start)))
                .Append(part.IsSingle ? RedactSingle(matcher, Encoding.UTF8.GetString(bytes.AsSpan(part.Start..part.End)), mark) : mark);
            kept = part.End;
        }

        return redacted.Append(Encoding.UTF8.GetString(bytes.AsSpan(kept..))).ToString();
    }

    /// <summary>A text or a number without values, as a text and as JSON writes it. What only seems to be one, with a half of an escape, is left alone.</summary>
    private static string RedactSingle(SecretMatcher matcher, string part, string mark)
    {
        var redacted = $"\"{TextRedactor.Redact(matcher, part[0] == '"' ? part[1..^1] : part)}\"";
        if (KindOf(redacted) == JsonValueKind.String)
        {
            return redacted;
        }

        try
        {
            using var document = JsonDocument.Parse(part);
            var text = document.RootElement.GetString();
            var without = TextRedactor.Redact(matcher, text);
            return ReferenceEquals(without, text) ? part : JsonSerializer.Serialize(without, Plain);
        }
        catch (InvalidOperationException)
        {
            // Half a character is valid in JSON and no text.
            return mark;
        }
    }

    /// <summary>All parts of an object, and before them what they are in. The first is the object.</summary>
    private static List<Part> PartsOf(byte[] json)
    {
        var parts = new List<Part>();
        var reader = new Utf8JsonReader(json);
        var around = 0;
        while (reader.Read())
        {
            var start = (int)reader.TokenStartIndex;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    parts.Add(new Part(start, End: 0, around, IsSingle: false));
                    around = parts.Count - 1;
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    parts[around] = parts[around] with { End = start + 1 };
                    around = parts[around].Around;
                    break;
                case JsonTokenType.String or JsonTokenType.PropertyName:
                    parts.Add(new Part(start, start + reader.ValueSpan.Length + 2, around, IsSingle: true));
                    break;
                default:
                    parts.Add(new Part(start, start + reader.ValueSpan.Length, around, IsSingle: true));
                    break;
            }
        }

        return parts;
    }

    /// <summary>The last part that begins before a place or at it.</summary>
    private static int LastBefore(List<Part> parts, int place)
    {
        var (low, high) = (0, parts.Count);
        while (low + 1 < high)
        {
            var middle = (low + high) / 2;
            (low, high) = parts[middle].Start <= place ? (middle, high) : (low, middle);
        }

        return low;
    }

    /// <summary>What a text is in JSON, or null when it is nothing.</summary>
    private static JsonValueKind? KindOf(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A part of an object.</summary>
    /// <param name="Start">Its first byte.</param>
    /// <param name="End">The byte after its last.</param>
    /// <param name="Around">What it is in.</param>
    /// <param name="IsSingle">Whether nothing else is in it: it is a text, a name, a number or a word.</param>
    private readonly record struct Part(int Start, int End, int Around, bool IsSingle);
}
