using Cerver.Sessions;

namespace Cerver.Grains.Search;

/// <summary>How well an entry answers a query. Pure.</summary>
internal static class SearchRanking
{
    /// <summary>How much of a text is looked at to rank it, in characters.</summary>
    public const int HeadCharacters = 4_000;

    /// <summary>About how many words an entry has, for which the number of its words says nothing.</summary>
    private const double UsualWords = 60;

    /// <summary>How much of a word's weight counts for an entry when one around it has the word.</summary>
    private const double NearbyCounts = 0.4;

    /// <summary>And when it stands in the name of its session.</summary>
    private const double NameCounts = 0.7;

    /// <summary>What is left of a score with each better one of a text that says nearly the same.</summary>
    private const double Repetition = 0.85;

    private const int MaxRepetitions = 4;

    /// <summary>A guess before any text was read: of entries that match, short ones say more about it than long ones, and what people and models say more than what tools print.</summary>
    public static double Guess(SearchCandidate candidate) => WeightOf(candidate.Role) / (1 + (candidate.Length / UsualWords));

    /// <summary>The score of an entry, 0 .. 1.</summary>
    /// <param name="found">The entry.</param>
    /// <param name="text">Its text.</param>
    /// <param name="query">What was looked for.</param>
    /// <param name="weights">How much each group of the query tells: the rarer, the more.</param>
    /// <param name="nearby">The groups, a bit each, that entries around it have: who answers does not repeat all that was asked.</param>
    public static double Score(FoundEntry found, string text, SearchQuery query, IReadOnlyList<double> weights, ulong nearby = 0)
    {
        var matches = SearchMatches.In(text, query, HeadCharacters);
        var total = weights.Sum();
        var counts = new int[weights.Count];
        foreach (var match in matches.Found)
        {
            counts[match.Group]++;
        }

        var inName = SearchMatches.In(found.SessionName, query, maxWords: 100).Found.Select(static match => match.Group).ToHashSet();
        var length = 0.4 + (0.6 * Math.Min(10, matches.Words / UsualWords));
        var said = counts.Select((count, group) => weights[group] * count / (count + (1.2 * length))).Sum() / total;
        var present = counts.Select((count, group) => count > 0 ? weights[group] : 0).Sum() / total;
        var named = inName.Sum(group => weights[group]) / total;
        var covered = weights.Select((weight, group) => weight * (counts[group] > 0 ? 1 : inName.Contains(group) ? NameCounts : NearbyShare(nearby, group))).Sum() / total;
        return covered * WeightOf(found.Entry.Role) * ((0.35 * said) + (0.25 * present * Closeness(matches, counts)) + (0.15 * named) + 0.25);
    }

    /// <summary>A guess before any text was read: how much of what was looked for an entry has, in itself and around it.</summary>
    /// <param name="candidate">The entry.</param>
    /// <param name="groups">The groups, a bit each, that it has.</param>
    /// <param name="nearby">The groups that entries around it have.</param>
    /// <param name="weights">How much each group tells.</param>
    public static double Guess(SearchCandidate candidate, ulong groups, ulong nearby, IReadOnlyList<double> weights) =>
        (0.5 + Guess(candidate)) * weights.Select((weight, group) => weight * (Has(groups, group) ? 1 : NearbyShare(nearby, group))).Sum();

    /// <summary>What a score is worth when entries with a better one say nearly the same.</summary>
    /// <param name="score">The score.</param>
    /// <param name="repeats">How many better ones there are.</param>
    public static double Repeated(double score, int repeats) => score * Math.Pow(Repetition, Math.Min(repeats, MaxRepetitions));

    private static double NearbyShare(ulong nearby, int group) => Has(nearby, group) ? NearbyCounts : 0;

    private static bool Has(ulong groups, int group) => (groups >> group & 1) != 0;

    private static double WeightOf(EntryRole role) => role switch
    {
        EntryRole.User or EntryRole.Assistant => 1,
        EntryRole.Tool => 0.8,
        _ => 0.7,
    };

    /// <summary>1 when all that was found of the query stands together, less the further it is apart.</summary>
    private static double Closeness(SearchMatches matches, int[] counts)
    {
        var groups = counts.Count(static count => count > 0);
        if (groups == 0)
        {
            return 0;
        }

        var inside = new int[counts.Length];
        var present = 0;
        var first = 0;
        var narrowest = int.MaxValue;
        for (var last = 0; last < matches.Found.Count; last++)
        {
            present += inside[matches.Found[last].Group]++ == 0 ? 1 : 0;
            while (present == groups)
            {
                narrowest = Math.Min(narrowest, matches.Found[last].Position - matches.Found[first].Position + 1);
                present -= --inside[matches.Found[first++].Group] == 0 ? 1 : 0;
            }
        }

        return Math.Min(1, (double)groups / Math.Max(1, narrowest));
    }
}
