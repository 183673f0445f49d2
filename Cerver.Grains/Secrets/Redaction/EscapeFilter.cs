namespace Cerver.Grains.Secrets.Redaction;

/// <summary>Whether a text has an escape that may have to do with a value: most escapes have not, and a text without one need not be looked at behind them. Pure.</summary>
internal sealed class EscapeFilter
{
    private const byte Backslash = EscapedText.Backslash;
    private const byte Percent = EscapedText.Percent;

    /// <summary>Of base64 or digits that are broken into lines there is much on one side of a break, and something on the other.</summary>
    private const int Much = 4;

    /// <summary>What base64, hexadecimal digits and other escapes consist of.</summary>
    private static readonly bool[] InWords = TableOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\"u8);

    /// <summary>What makes another escape of a backslash that an escape stands for.</summary>
    private static readonly bool[] InEscapes = TableOf("\"'/nrtux0123\\"u8);

    private readonly bool[] _matters = new bool[256];
    private readonly bool[] _tells = new bool[256];

    /// <summary>Knows of what values consist.</summary>
    public EscapeFilter(IEnumerable<MarkedForm> forms)
    {
        foreach (var form in forms)
        {
            foreach (var value in form.Bytes)
            {
                _matters[value] = true;
            }
        }

        // An escape of two bytes tells nothing, whatever is around, when what it stands for is in no value, breaks no line and begins no other escape.
        for (var named = 0; named < 256; named++)
        {
            var value = EscapedText.Named((byte)named);
            _tells[named] = _matters[value] || SecretForm.IsBreak(value) || value is Backslash or Percent;
        }
    }

    /// <summary>Whether a text has an escape that begins with a backslash and may have to do with a value.</summary>
    public bool MayHideBehindBackslashes(ReadOnlySpan<byte> text)
    {
        for (var at = 0; text[at..].IndexOf(Backslash) is >= 0 and var next;)
        {
            at += next;
            if (at + 1 < text.Length && !EscapedText.MayBeLong(text[at + 1]))
            {
                if (_tells[text[at + 1]] && MayHide(text, at, at + 2, EscapedText.Named(text[at + 1]), Backslash))
                {
                    return true;
                }

                at += 2;
            }
            else if (MayHide(text, ref at, Backslash))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a text has a percent-encoded byte that may have to do with a value.</summary>
    public bool MayHideBehindPercents(ReadOnlySpan<byte> text)
    {
        for (var at = 0; text[at..].IndexOf(Percent) is >= 0 and var next;)
        {
            at += next;
            if (MayHide(text, ref at, Percent))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an escape may have to do with a value, or its rest is not there yet. Goes on to its end.</summary>
    private bool MayHide(ReadOnlySpan<byte> text, ref int at, byte mark)
    {
        Span<byte> written = stackalloc byte[EscapedText.MaxWritten];
        var (start, taken) = (at, EscapedText.DecodeOne(text[at..], written, out _, mark));
        at += taken;
        return taken == 0 || (taken > 1 && MayHide(text, start, at, written[0], mark));
    }

    /// <summary>
    /// An escape has to do with a value when the byte that it stands for, or begins with, and one beside it stand in values, or when it stands for the beginning of
    /// another escape.
    /// </summary>
    private bool MayHide(ReadOnlySpan<byte> text, int start, int end, byte value, byte mark)
    {
        var (before, after) = (start == 0 ? mark : text[start - 1], end == text.Length ? mark : text[end]);
        return (_matters[value] && (before == mark || after == mark || _matters[before] || _matters[after]))
            || (value is Backslash or Percent && (end == text.Length || BeginsEscape(after, value)))
            || (SecretForm.IsBreak(value) && IsWithinWord(text[..start], text[end..]));
    }

    /// <summary>Whether a byte behind an escape that stands for a mark makes another escape of it.</summary>
    private static bool BeginsEscape(byte value, byte mark) => mark == Percent ? value == Percent || char.IsAsciiHexDigit((char)value) : InEscapes[value];

    /// <summary>Whether a line break parts what may be base64 or digits. Where the text begins or ends, it may.</summary>
    private static bool IsWithinWord(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after) =>
        (before.IsEmpty || InWords[before[^1]]) && (after.IsEmpty || InWords[after[0]])
        && (IsWord(before[^Math.Min(Much, before.Length)..]) || IsWord(after[..Math.Min(Much, after.Length)]));

    private static bool IsWord(ReadOnlySpan<byte> text)
    {
        foreach (var value in text)
        {
            if (!InWords[value])
            {
                return false;
            }
        }

        return true;
    }

    private static bool[] TableOf(ReadOnlySpan<byte> values)
    {
        var table = new bool[256];
        foreach (var value in values)
        {
            table[value] = true;
        }

        return table;
    }
}
