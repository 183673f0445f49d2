using System.Runtime.InteropServices;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>What the end of a text may be the beginning of. Immutable; any number may ask at once. Pure.</summary>
internal sealed class SecretBeginnings
{
    /// <summary>A form of which fewer characters stand before a line break is not waited for, or lines would be held back by chance.</summary>
    public const int MinBeforeBreak = 4;

    private const int Gram = GramSet.Bytes;

    private readonly MarkedForm[] _forms;
    private readonly MarkedForm[] _breaking;
    private readonly GramSet _grams;
    private readonly int _longest;

    /// <summary>Knows how forms begin.</summary>
    /// <param name="forms">The forms, in order.</param>
    public SecretBeginnings(MarkedForm[] forms)
    {
        _forms = forms;
        _breaking = [.. forms.Where(static form => form.MayBreak)];
        _grams = new GramSet(forms.Length);
        foreach (var form in forms)
        {
            _grams.Add(MemoryMarshal.Read<uint>(form.Bytes));
            _longest = Math.Max(_longest, form.Bytes.Length);
        }
    }

    /// <summary>From where on a text cannot be given away before more of it is there; its length when all of it can.</summary>
    public int HoldFrom(ReadOnlySpan<byte> text)
    {
        for (var i = Math.Max(0, text.Length - (2 * _longest)); i < text.Length; i++)
        {
            if (i + Gram <= text.Length ? _grams.MayHave(MemoryMarshal.Read<uint>(text[i..])) && MayBegin(text[i..]) : IsBeginning(_forms, text[i..]))
            {
                return i;
            }
        }

        return text.Length;
    }

    /// <summary>Whether a text is the beginning of a form, and not all of it.</summary>
    private bool MayBegin(ReadOnlySpan<byte> text)
    {
        if (IsBeginning(_forms, text))
        {
            return true;
        }

        if (text.IndexOfAny((byte)'\n', (byte)'\r') < MinBeforeBreak)
        {
            return false;
        }

        var joined = new byte[text.Length];
        var length = 0;
        foreach (var value in text)
        {
            if (!SecretForm.IsBreak(value))
            {
                joined[length++] = value;
            }
        }

        return IsBeginning(_breaking, joined.AsSpan(0, length));
    }

    /// <summary>Whether one of the forms, which are in order, begins with a text and goes on.</summary>
    private static bool IsBeginning(MarkedForm[] forms, ReadOnlySpan<byte> text)
    {
        var (low, high) = (0, forms.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (forms[middle].Bytes.AsSpan().SequenceCompareTo(text) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low < forms.Length && forms[low].Bytes.AsSpan().StartsWith(text);
    }
}
