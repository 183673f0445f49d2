using System.Buffers;
using System.Globalization;
using System.Text;

namespace Cerver.Grains.Runs;

/// <summary>
/// What a transcript keeps of a run's output: all of it up to 64 KiB, else its beginning and its end with a mark between.
/// </summary>
/// <param name="runId">The run, named in the mark.</param>
internal sealed class OutputDigest(string runId)
{
    private const int HalfBytes = 32_000;

    private readonly ArrayBufferWriter<byte> _head = new();
    private readonly byte[] _tail = new byte[HalfBytes];
    private long _total;

    /// <summary>Adds output, both kinds in the order they came.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        var toHead = (int)Math.Min(data.Length, HalfBytes - _head.WrittenCount);
        _head.Write(data[..toHead]);
        _total += data.Length;

        // Of what is left only the last bytes can be in the end, which is kept as a ring.
        var rest = data[toHead..];
        rest = rest.Length > HalfBytes ? rest[^HalfBytes..] : rest;
        var at = (int)((_total - HalfBytes - rest.Length) % HalfBytes);
        if (rest.Length > 0)
        {
            var first = Math.Min(rest.Length, HalfBytes - at);
            rest[..first].CopyTo(_tail.AsSpan(at));
            rest[first..].CopyTo(_tail);
        }
    }

    /// <summary>The text, at most 64 KiB of UTF-8. What is not text is shown as U+FFFD.</summary>
    public override string ToString()
    {
        var head = _head.WrittenSpan;
        var after = _total - head.Length;
        if (after <= HalfBytes)
        {
            return Fit(Decode([.. head, .. _tail.AsSpan(0, (int)after)]), 2 * HalfBytes, fromEnd: false);
        }

        var at = (int)(after % HalfBytes);
        var left = after - HalfBytes;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Fit(Decode(head), HalfBytes, fromEnd: false)}\n[… {left} bytes left out; the whole output is in run {runId} …]\n{Fit(Decode([.. _tail.AsSpan(at), .. _tail.AsSpan(0, at)]), HalfBytes, fromEnd: true)}");
    }

    /// <summary>A zero character cannot be stored as text in every database.</summary>
    private static string Decode(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes).Replace('\0', '\uFFFD');

    /// <summary>Bytes that are not text become three each, so the text can be longer than the bytes were.</summary>
    private static string Fit(string text, int bytes, bool fromEnd)
    {
        if (Encoding.UTF8.GetByteCount(text) <= bytes)
        {
            return text;
        }

        var characters = bytes / 3;
        var cut = fromEnd ? text.Length - characters : characters;
        cut += char.IsLowSurrogate(text[cut]) ? 1 : 0;
        return fromEnd ? text[cut..] : text[..cut];
    }
}
