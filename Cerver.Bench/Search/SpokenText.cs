using System.Text;

namespace Cerver.Bench.Search;

/// <summary>
/// Texts as long as the entry that is written elsewhere, of words that are as common and as rare as those of a language: the one that is second is there half as often as
/// the first (Zipf's law). The same on every machine.
/// </summary>
internal sealed class SpokenText
{
    /// <summary>How many words there are.</summary>
    public const int Vocabulary = 60_000;

    private const int WordsPerEntry = 17;
    private static readonly string[] Syllables =
        ["ba", "co", "de", "fi", "gu", "ha", "jo", "ke", "li", "mu", "na", "po", "re", "si", "tu", "va", "wo", "ze", "bri", "cla", "dro", "fle", "gra", "plu", "ste", "tri"];

    private readonly Random _random;
    private readonly double[] _cumulative = new double[Vocabulary];

    public SpokenText(int seed)
    {
        _random = new Random(seed);
        var sum = 0.0;
        for (var rank = 0; rank < Vocabulary; rank++)
        {
            sum += 1.0 / (rank + 3);
            _cumulative[rank] = sum;
        }
    }

    /// <summary>The word of a rank; 0 is the most common one.</summary>
    public static string Word(int rank)
    {
        var word = new StringBuilder();
        var rest = rank;
        do
        {
            word.Append(Syllables[rest % Syllables.Length]);
            rest /= Syllables.Length;
        }
        while (rest > 0);

        return word.Length > 3 ? word.ToString() : word.Append('n').ToString();
    }

    /// <summary>A word that is as common as those between two ranks.</summary>
    public string WordOf(int from, int to) => Word(_random.Next(from, to));

    /// <summary>A text of 17 words.</summary>
    public string[] Next() => [.. Enumerable.Range(0, WordsPerEntry).Select(_ => Word(Rank()))];

    /// <summary>The body that appends so many texts.</summary>
    /// <param name="texts">The texts.</param>
    public static string Body(IEnumerable<string[]> texts) =>
        $$"""{"entries":[{{string.Join(',', texts.Select(static words => $$"""{"role":"user","content":"{{string.Join(' ', words)}}"}"""))}}]}""";

    private int Rank()
    {
        var place = Array.BinarySearch(_cumulative, _random.NextDouble() * _cumulative[^1]);
        return Math.Min(Vocabulary - 1, place < 0 ? ~place : place);
    }
}
