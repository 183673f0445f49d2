using System.Runtime.InteropServices;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>Four of the first bytes of a form, and what the rest of it is compared with where they stand in a text.</summary>
/// <param name="Form">The form.</param>
/// <param name="Offset">How many of its bytes are before them.</param>
/// <param name="Next">The number of another place where the same bytes stand, or -1.</param>
internal readonly record struct FormPlace(MarkedForm Form, int Offset, int Next)
{
    /// <summary>The four bytes.</summary>
    public uint Gram => MemoryMarshal.Read<uint>(Form.Bytes.AsSpan(Offset));

    /// <summary>Where the form stands in a text, or null when something else does.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Where the four bytes stand.</param>
    /// <param name="goesOn">Whether the text before was given away.</param>
    /// <param name="compared">What was compared, up to the first byte that is another one, with that.</param>
    public SecretMatch? Match(ReadOnlySpan<byte> text, int at, bool goesOn, out ReadOnlySpan<byte> compared)
    {
        if (Form.MayBreak)
        {
            var end = at;
            var first = Leftwards(text, at, Form.Bytes.AsSpan(0, Offset), goesOn);
            var isWhole = first is not null && IsRightwards(text, Form.Bytes.AsSpan(Offset), ref end);
            compared = text[at..Math.Min(isWhole ? end : end + 1, text.Length)];
            return isWhole ? new SecretMatch(first!.Value, end, Form.Mark) : null;
        }

        var start = at - Offset;
        if (start < 0)
        {
            compared = [];
            return null;
        }

        var length = text[start..].CommonPrefixLength(Form.Bytes);
        var isThere = length == Form.Bytes.Length;
        compared = text[start..Math.Min(isThere ? start + length : start + length + 1, text.Length)];
        return isThere ? new SecretMatch(start, start + length, Form.Mark) : null;
    }

    /// <summary>Where a form begins whose first bytes end at a place.</summary>
    private static int? Leftwards(ReadOnlySpan<byte> text, int at, ReadOnlySpan<byte> expected, bool goesOn)
    {
        while (expected.Length > 0)
        {
            var before = at;
            while (before > 0 && SecretForm.IsBreak(text[before - 1]))
            {
                before--;
            }

            if (before == 0 && goesOn && expected.Length < SecretBeginnings.MinBeforeBreak)
            {
                return 0;
            }

            if (before == 0 || text[before - 1] != expected[^1])
            {
                return null;
            }

            at = before - 1;
            expected = expected[..^1];
        }

        return at;
    }

    /// <summary>Whether the bytes of a form begin at a place, which is where they end afterwards, or where something else stands.</summary>
    private static bool IsRightwards(ReadOnlySpan<byte> text, ReadOnlySpan<byte> expected, ref int at)
    {
        foreach (var value in expected)
        {
            while (at < text.Length && SecretForm.IsBreak(text[at]))
            {
                at++;
            }

            if (at >= text.Length || text[at] != value)
            {
                return false;
            }

            at++;
        }

        return true;
    }
}
