using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cerver.Secrets;
using Cerver.Sessions;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>Puts <c>[secret:NAME]</c> in the place of values in texts. What has none is given back as it is. Pure.</summary>
internal static class TextRedactor
{
    private static readonly JsonWriterOptions PlainJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A text without values.</summary>
    public static string? Redact(SecretMatcher matcher, string? text)
    {
        if (text is null || matcher.IsEmpty || text.Length < Secret.MinRedactedCharacters)
        {
            return text;
        }

        return RedactAll(matcher, [text])?[0] ?? text;
    }

    /// <summary>JSON without values, which is still JSON: a number that is one becomes a text.</summary>
    public static string? RedactJson(SecretMatcher matcher, string? json)
    {
        var redacted = Redact(matcher, json);
        return redacted is null || ReferenceEquals(redacted, json) || IsJson(redacted) ? redacted : WriteAnew(matcher, json!);
    }

    /// <summary>Entries without values, also without those that begin in the content of one entry and go on in the next.</summary>
    public static ImmutableArray<TranscriptEntry> Redact(SecretMatcher matcher, ImmutableArray<TranscriptEntry> entries)
    {
        if (matcher.IsEmpty || entries.IsEmpty)
        {
            return entries;
        }

        var contents = RedactAll(matcher, [.. entries.Select(static entry => entry.Content ?? "")]);
        var redacted = entries.ToBuilder();
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = entries[i];
            redacted[i] = entry with
            {
                Kind = Redact(matcher, entry.Kind)!,
                Content = contents is null || entry.Content is null ? entry.Content : contents[i],
                ToolId = Redact(matcher, entry.ToolId),
                ToolName = Redact(matcher, entry.ToolName),
                ToolInput = RedactJson(matcher, entry.ToolInput),
            };
        }

        return redacted.ToImmutable();
    }

    /// <summary>Texts that follow one another, without values; null when there are none in them.</summary>
    private static string[]? RedactAll(SecretMatcher matcher, string[] texts)
    {
        var most = texts.Sum(static text => Encoding.UTF8.GetMaxByteCount(text.Length));
        var bytes = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            var ends = new int[texts.Length];
            var length = 0;
            for (var i = 0; i < texts.Length; i++)
            {
                length += Encoding.UTF8.GetBytes(texts[i], bytes.AsSpan(length));
                ends[i] = length;
            }

            var found = matcher.Find(bytes.AsSpan(0, length));
            return found.Count == 0 ? null : Replace(texts, bytes, ends, found);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
        }
    }

    /// <summary>Every text that a value touches has its mark.</summary>
    private static string[] Replace(string[] texts, byte[] bytes, int[] ends, List<SecretMatch> found)
    {
        var redacted = new string[texts.Length];
        var next = 0;
        for (var (i, start) = (0, 0); i < texts.Length; start = ends[i], i++)
        {
            // A text without a value is kept as it is and not decoded, which would lose halves of characters that some texts have.
            if (next == found.Count || found[next].Start >= ends[i] || start == ends[i])
            {
                redacted[i] = texts[i];
                continue;
            }

            var text = new StringBuilder();
            var at = start;
            while (next < found.Count && found[next].Start < ends[i])
            {
                text.Append(Encoding.UTF8.GetString(bytes.AsSpan(at, Math.Max(at, found[next].Start) - at))).Append(found[next].Mark.Text);
                at = Math.Min(found[next].End, ends[i]);
                if (found[next].End > ends[i])
                {
                    break;
                }

                next++;
            }

            redacted[i] = text.Append(Encoding.UTF8.GetString(bytes.AsSpan(at, ends[i] - at))).ToString();
        }

        return redacted;
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Redacts what the JSON consists of, one by one.</summary>
    private static string WriteAnew(SecretMatcher matcher, string json)
    {
        using var document = JsonDocument.Parse(json);
        var bytes = new ArrayBufferWriter<byte>(json.Length);
        using (var writer = new Utf8JsonWriter(bytes, PlainJson))
        {
            Write(matcher, document.RootElement, writer);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static void Write(SecretMatcher matcher, JsonElement element, Utf8JsonWriter writer)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject())
                {
                    writer.WritePropertyName(Redact(matcher, member.Name)!);
                    Write(matcher, member.Value, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(matcher, item, writer);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Redact(matcher, element.GetString()));
                break;
            case JsonValueKind.Number when Redact(matcher, element.GetRawText()) is var number && number != element.GetRawText():
                writer.WriteStringValue(number);
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }
}
