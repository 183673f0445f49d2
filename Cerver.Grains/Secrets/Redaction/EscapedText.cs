using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>
/// A text without its escapes, which knows where each of its bytes stood before. What JSON, shells, programming languages and addresses make of a value is
/// the value again without them, whatever they chose to escape. Dispose of it: its memory is used again.
/// </summary>
internal readonly struct EscapedText : IDisposable
{
    private readonly byte[] _bytes;
    private readonly int[] _places;
    private readonly int _length;

    private EscapedText(byte[] bytes, int[] places, int length, int cut)
    {
        _bytes = bytes;
        _places = places;
        _length = length;
        Cut = cut;
    }

    /// <summary>Where an escape begins of which the rest is not there yet; the end of the text when there is none.</summary>
    public int Cut { get; }

    /// <summary>The text without escapes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Where each of its bytes stood, and where its end did.</summary>
    public ReadOnlySpan<int> Places => _places.AsSpan(0, _length + 1);

    /// <summary>Whether a text has what begins an escape with a backslash.</summary>
    public static bool HasBackslash(ReadOnlySpan<byte> text) => text.Contains((byte)'\\');

    /// <summary>Whether a text has what begins a percent-encoded byte.</summary>
    public static bool HasPercent(ReadOnlySpan<byte> text) => text.Contains((byte)'%');

    /// <summary>Takes away what begins with a backslash.</summary>
    /// <param name="text">The text.</param>
    /// <param name="places">Where its bytes stood and its end did; empty when they stand there.</param>
    public static EscapedText OfBackslashes(ReadOnlySpan<byte> text, ReadOnlySpan<int> places) => Decode(text, places, (byte)'\\', Backslash);

    /// <summary>Decodes what is percent-encoded.</summary>
    /// <inheritdoc cref="OfBackslashes"/>
    public static EscapedText OfPercents(ReadOnlySpan<byte> text, ReadOnlySpan<int> places) => Decode(text, places, (byte)'%', Percent);

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes, clearArray: true);
        ArrayPool<int>.Shared.Return(_places);
    }

    private static EscapedText Decode(ReadOnlySpan<byte> text, ReadOnlySpan<int> places, byte mark, Decoder decode)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(text.Length);
        var kept = ArrayPool<int>.Shared.Rent(text.Length + 1);
        var (length, cut) = (0, text.Length);
        for (var at = 0; at < text.Length;)
        {
            // What lies between two escapes is copied at once.
            var next = text[at..].IndexOf(mark);
            var plain = next < 0 ? text.Length - at : next;
            text.Slice(at, plain).CopyTo(bytes.AsSpan(length));
            for (var i = 0; i < plain; i++)
            {
                kept[length + i] = places.IsEmpty ? at + i : places[at + i];
            }

            (at, length) = (at + plain, length + plain);
            if (at == text.Length)
            {
                break;
            }

            var taken = decode(text[at..], bytes.AsSpan(length), out var written);
            if (taken == 0)
            {
                // The rest of the escape may come yet.
                cut = at;
                break;
            }

            kept.AsSpan(length, written).Fill(places.IsEmpty ? at : places[at]);
            (at, length) = (at + taken, length + written);
        }

        kept[length] = places.IsEmpty ? cut : places[cut];
        return new(bytes, kept, length, kept[length]);
    }

    /// <summary>Decodes the escape that a text begins with, and says how long it is: 0 when its end is not there.</summary>
    private delegate int Decoder(ReadOnlySpan<byte> text, Span<byte> into, out int written);

    private static int Percent(ReadOnlySpan<byte> text, Span<byte> into, out int written)
    {
        written = 0;
        if (text.Length < 3 && AreDigits(text[1..]))
        {
            return 0;
        }

        written = 1;
        if (text.Length >= 3 && Digits(text.Slice(1, 2)) is { } value)
        {
            into[0] = (byte)value;
            return 3;
        }

        into[0] = text[0];
        return 1;
    }

    private static int Backslash(ReadOnlySpan<byte> text, Span<byte> into, out int written)
    {
        written = 0;
        if (text.Length < 2)
        {
            return 0;
        }

        written = 1;
        switch (text[1])
        {
            case (byte)'u':
                return Unicode(text, into, out written);
            case (byte)'x':
                if (text.Length < 4 && AreDigits(text[2..]))
                {
                    written = 0;
                    return 0;
                }

                if (text.Length >= 4 && Digits(text.Slice(2, 2)) is { } value)
                {
                    into[0] = (byte)value;
                    return 4;
                }

                break;
            case >= (byte)'0' and <= (byte)'3':
                if (text.Length < 4 && text[2..].IndexOfAnyExceptInRange((byte)'0', (byte)'7') < 0)
                {
                    written = 0;
                    return 0;
                }

                if (text.Length >= 4 && text.Slice(2, 2).IndexOfAnyExceptInRange((byte)'0', (byte)'7') < 0)
                {
                    into[0] = (byte)(((text[1] - '0') * 64) + ((text[2] - '0') * 8) + (text[3] - '0'));
                    return 4;
                }

                break;
            default:
                break;
        }

        into[0] = text[1] switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            var other => other,
        };
        return 2;
    }

    /// <summary>A character as <c>\uXXXX</c>, or as two of them.</summary>
    private static int Unicode(ReadOnlySpan<byte> text, Span<byte> into, out int written)
    {
        written = 0;
        if (text.Length < 6)
        {
            return AreDigits(text[2..]) ? 0 : Literally(into, out written);
        }

        if (Digits(text.Slice(2, 4)) is not { } first)
        {
            return Literally(into, out written);
        }

        var (rune, length) = (first, 6);
        if (char.IsHighSurrogate((char)first))
        {
            if (text.Length < 12 && (text.Length == 6 || "\\u"u8.StartsWith(text[6..Math.Min(8, text.Length)])))
            {
                return 0;
            }

            (rune, length) = text.Length >= 12 && text[6] == '\\' && text[7] == 'u' && Digits(text.Slice(8, 4)) is { } second && char.IsLowSurrogate((char)second)
                ? (char.ConvertToUtf32((char)first, (char)second), 12)
                : (first, 6);
        }

        written = (Rune.IsValid(rune) ? new Rune(rune) : Rune.ReplacementChar).EncodeToUtf8(into);
        return length;
    }

    private static int Literally(Span<byte> into, out int written)
    {
        into[0] = (byte)'u';
        written = 1;
        return 2;
    }

    private static int? Digits(ReadOnlySpan<byte> digits) =>
        AreDigits(digits) && Utf8Parser.TryParse(digits, out int value, out var taken, 'x') && taken == digits.Length ? value : null;

    private static bool AreDigits(ReadOnlySpan<byte> text)
    {
        foreach (var digit in text)
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }
        }

        return true;
    }
}
