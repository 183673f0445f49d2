using System.Numerics;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>Which four bytes stand at a place of a form. It says no where none do, nearly always, and never where some do.</summary>
/// <param name="count">How many are added, at most.</param>
internal sealed class GramSet(int count)
{
    /// <summary>How many bytes are looked up at once.</summary>
    public const int Bytes = sizeof(uint);

    private const int MinBits = 14;
    private const int MaxBits = 22;

    private readonly int _shift = ShiftOf(count);
    private readonly ulong[] _bits = new ulong[1 << (64 - ShiftOf(count) - 6)];

    /// <summary>Takes four bytes in.</summary>
    public void Add(uint gram) => _bits[BitOf(gram) >> 6] |= 1UL << (int)(BitOf(gram) & 63);

    /// <summary>Whether four bytes may have been taken in.</summary>
    public bool MayHave(uint gram)
    {
        var bit = BitOf(gram);
        return (_bits[bit >> 6] & (1UL << (int)(bit & 63))) != 0;
    }

    private uint BitOf(uint gram) => (uint)((gram * 0x9E3779B97F4A7C15UL) >> _shift);

    /// <summary>
    /// There are 128 bits for each at least, as long as they are not too many for a processor's caches. With sixteen, every tenth place of a text was looked up once more
    /// for nothing, which took as long as everything else.
    /// </summary>
    private static int ShiftOf(int count) => 64 - Math.Clamp(BitOperations.Log2((uint)Math.Max(1, count)) + 7, MinBits, MaxBits);
}
