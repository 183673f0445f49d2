using System.Numerics;

namespace Cerver.Grains.Search;

/// <summary>
/// What tells texts that say nearly the same: which words they begin with, without numbers, as bits. Reports of jobs, alerts and lines of logs are repeated with another
/// time or name in them. Pure.
/// </summary>
internal sealed class Likeness
{
    /// <summary>How many of the first words are compared.</summary>
    private const int Words = 64;

    private const int Bits = 512;

    /// <summary>How much of what two texts have together both must have.</summary>
    private const double Alike = 0.65;

    private readonly ulong[] _bits = new ulong[Bits / 64];

    private Likeness()
    {
    }

    /// <summary>The likeness of a text.</summary>
    public static Likeness Of(string text)
    {
        var likeness = new Likeness();
        foreach (var word in WordReader.Read(text, Words))
        {
            if (!word.Text.All(char.IsDigit))
            {
                var bit = BitOf(word.Text);
                likeness._bits[bit / 64] |= 1UL << (bit % 64);
            }
        }

        return likeness;
    }

    /// <summary>Whether two texts say nearly the same.</summary>
    public bool IsAlike(Likeness other)
    {
        var (both, either) = (0, 0);
        for (var i = 0; i < _bits.Length; i++)
        {
            both += BitOperations.PopCount(_bits[i] & other._bits[i]);
            either += BitOperations.PopCount(_bits[i] | other._bits[i]);
        }

        return both >= Alike * either;
    }

    /// <summary>The same in every process, as the order of hits has to be: the first bits of FNV-1a.</summary>
    private static int BitOf(string word)
    {
        var hash = 2_166_136_261U;
        foreach (var character in word)
        {
            hash = (hash ^ character) * 16_777_619U;
        }

        return (int)((hash ^ (hash >> 16)) % Bits);
    }
}
