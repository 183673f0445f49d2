using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>
/// A text without its escapes, which knows where each of its bytes stood before. What JSON, shells, programming languages and addresses make of a value is
/// the value again without them, whatever they chose to escape. Dispose of it: its memory is used again.
/// </summary>
internal sealed class EscapedText : IDisposable
{
    /// <summary>What the escapes of JSON, shells and languages begin with.</summary>
    public const byte Backslash = (byte)'\\';

    /// <summary>What those of addresses begin with.</summary>
    public const byte Percent = (byte)'%';

    /// <summary>The most bytes that one escape stands for: a character of UTF-8.</summary>
    public const int MaxWritten = 4;

    private const int FewEscapes = 256;

    private readonly EscapedText? _from;
    private readonly byte[] _bytes;
    private Escape[] _escapes = ArrayPool<Escape>.Shared.Rent(FewEscapes);
    private int _count;
    private int _length;

    private EscapedText(EscapedText? from, int maxLength)
    {
        _from = from;
        _bytes = ArrayPool<byte>.Shared.Rent(maxLength + MaxWritten);
    }

    /// <summary>Where, in the text that all began with, an escape begins of which the rest is not there yet; its end when there is none.</summary>
    public int Cut { get; private set; }

    /// <summary>The text without escapes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>The escapes that were taken away, in order.</summary>
    public ReadOnlySpan<Escape> Escapes => _escapes.AsSpan(0, _count);

    /// <summary>Whether a text has what escapes begin with.</summary>
    public static bool HasMark(ReadOnlySpan<byte> text) => text.ContainsAny(Backslash, Percent);

    /// <summary>Whether what stands behind a backslash may make an escape of more than two bytes with it.</summary>
    public static bool MayBeLong(byte named) => named is (byte)'u' or (byte)'x' or (>= (byte)'0' and <= (byte)'3');

    /// <summary>What a backslash and a byte stand for, if they are an escape of two bytes.</summary>
    public static byte Named(byte named) => named switch
    {
        (byte)'n' => (byte)'\n',
        (byte)'r' => (byte)'\r',
        (byte)'t' => (byte)'\t',
        (byte)'b' => (byte)'\b',
        (byte)'f' => (byte)'\f',
        _ => named,
    };

    /// <summary>Takes away what begins with a backslash.</summary>
    /// <param name="text">The text.</param>
    /// <param name="from">What it is the bytes of, or null when it is what all begins with.</param>
    public static EscapedText OfBackslashes(ReadOnlySpan<byte> text, EscapedText? from) => Decode(text, from, Backslash);

    /// <summary>Decodes what is percent-encoded.</summary>
    /// <inheritdoc cref="OfBackslashes"/>
    public static EscapedText OfPercents(ReadOnlySpan<byte> text, EscapedText? from) => Decode(text, from, Percent);

    /// <summary>Where a byte, or the end, stood in the text that all began with. All bytes of an escape stood where it began.</summary>
    public int PlaceOf(int index)
    {
        // The last escape that is not behind it.
        var (low, high) = (0, _count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _escapes[middle].At <= index ? (middle + 1, high) : (low, middle);
        }

        var place = low == 0 ? index : _escapes[low - 1].PlaceOf(index);
        return _from?.PlaceOf(place) ?? place;
    }

    /// <summary>Whether an escape was taken away that stands for something in a part of the text.</summary>
    /// <param name="start">Where the part begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="passed">How many escapes stand before it and before all parts that are asked for later.</param>
    public bool HasEscape(int start, int end, ref int passed)
    {
        while (passed < _count && _escapes[passed].End <= start)
        {
            passed++;
        }

        return passed < _count && _escapes[passed].At < end;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Only what was written: the array may be twice as long.
        _bytes.AsSpan(0, _length).Clear();
        ArrayPool<byte>.Shared.Return(_bytes);
        ArrayPool<Escape>.Shared.Return(_escapes);
    }

    private static EscapedText Decode(ReadOnlySpan<byte> text, EscapedText? from, byte mark)
    {
        var decoded = new EscapedText(from, text.Length);
        var at = 0;
        while (at < text.Length)
        {
            // What lies between two escapes is copied at once.
            var next = text[at..].IndexOf(mark);
            var plain = next < 0 ? text.Length - at : next;
            text.Slice(at, plain).CopyTo(decoded._bytes.AsSpan(decoded._length));
            (at, decoded._length) = (at + plain, decoded._length + plain);
            if (at == text.Length)
            {
                break;
            }

            var taken = DecodeOne(text[at..], decoded._bytes.AsSpan(decoded._length), out var written, mark);
            if (taken == 0)
            {
                // The rest of the escape may come yet.
                break;
            }

            if (taken > 1)
            {
                decoded.Note(new Escape(decoded._length, written, at, taken));
            }

            (at, decoded._length) = (at + taken, decoded._length + written);
        }

        decoded.Cut = from?.PlaceOf(at) ?? at;
        return decoded;
    }

    private void Note(Escape escape)
    {
        if (_count == _escapes.Length)
        {
            var more = ArrayPool<Escape>.Shared.Rent(_count * 2);
            _escapes.CopyTo(more, 0);
            ArrayPool<Escape>.Shared.Return(_escapes);
            _escapes = more;
        }

        _escapes[_count++] = escape;
    }

    /// <summary>What one escape stands for.</summary>
    /// <param name="text">The text from the escape on.</param>
    /// <param name="into">Gets the bytes, four at most.</param>
    /// <param name="written">How many they are.</param>
    /// <param name="mark">What the escape begins with.</param>
    /// <returns>How many bytes the escape has; 0 when its rest is not there yet.</returns>
    public static int DecodeOne(ReadOnlySpan<byte> text, Span<byte> into, out int written, byte mark) =>
        mark == Percent ? DecodePercent(text, into, out written) : DecodeBackslash(text, into, out written);

    private static int DecodePercent(ReadOnlySpan<byte> text, Span<byte> into, out int written)
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

    private static int DecodeBackslash(ReadOnlySpan<byte> text, Span<byte> into, out int written)
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

        into[0] = Named(text[1]);
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

    /// <summary>An escape that was taken away.</summary>
    /// <param name="At">Where what it stands for is.</param>
    /// <param name="Written">How many bytes that is.</param>
    /// <param name="From">Where it stood.</param>
    /// <param name="Length">How many bytes it had.</param>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Escape(int At, int Written, int From, int Length)
    {
        /// <summary>Where what it stands for ends.</summary>
        public int End => At + Written;

        /// <summary>Where a byte stood that is not before it, and before the next one.</summary>
        public int PlaceOf(int index) => index < End ? From : From + Length + (index - End);
    }
}
