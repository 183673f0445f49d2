using System.Buffers;
using System.Text;
using Cerver.Secrets;
using Cerver.Sessions;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>Puts <c>[secret:NAME]</c> in the place of values in texts. What has none is given back as it is. Pure.</summary>
internal static class TextRedactor
{
    /// <summary>A text without values.</summary>
    public static string? Redact(SecretMatcher matcher, string? text)
    {
        if (text is null || matcher.IsEmpty || text.Length < Secret.MinRedactedCharacters)
        {
            return text;
        }

        return RedactAll(matcher, [text])?[0] ?? text;
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
                ToolInput = JsonRedactor.Redact(matcher, entry.ToolInput),
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
}
