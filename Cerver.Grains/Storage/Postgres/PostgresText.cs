using System.Buffers;
using System.Text;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>
/// Texts as PostgreSQL keeps them. It has no place for U+0000 in a text, so that one is written as two characters, and so is the one that
/// says so. Nearly every text is kept as it is. What is half of a surrogate pair is no text at all and becomes U+FFFD, as everywhere. Pure.
/// </summary>
internal static class PostgresText
{
    /// <summary>U+0010, "data link escape". Before another of its kind it stands for itself, before a <c>0</c> for U+0000.</summary>
    private const char Mark = '\u0010';
    private const char Zero = '0';

    private static readonly SearchValues<char> Special = SearchValues.Create('\0', Mark);

    /// <summary>A text as it is stored.</summary>
    public static string Escape(string text)
    {
        if (!text.AsSpan().ContainsAny(Special) && IsWellFormed(text))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                0 => escaped.Append(Mark).Append(Zero),
                Mark => escaped.Append(Mark).Append(Mark),
                _ => escaped.Append(rune.ToString()),
            };
        }

        return escaped.ToString();
    }

    /// <summary>The text that was stored.</summary>
    public static string Unescape(string stored)
    {
        var mark = stored.IndexOf(Mark, StringComparison.Ordinal);
        if (mark < 0)
        {
            return stored;
        }

        var text = new StringBuilder(stored.Length);
        var rest = stored.AsSpan();
        while ((mark = rest.IndexOf(Mark)) >= 0 && mark + 1 < rest.Length)
        {
            text.Append(rest[..mark]).Append(rest[mark + 1] == Zero ? '\0' : rest[mark + 1]);
            rest = rest[(mark + 2)..];
        }

        return text.Append(rest).ToString();
    }

    private static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        int surrogate;
        while ((surrogate = text.IndexOfAnyInRange('\uD800', '\uDFFF')) >= 0)
        {
            text = text[surrogate..];
            if (Rune.DecodeFromUtf16(text, out _, out var length) != OperationStatus.Done)
            {
                return false;
            }

            text = text[length..];
        }

        return true;
    }
}
