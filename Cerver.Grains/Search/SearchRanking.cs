using Cerver.Sessions;

namespace Cerver.Grains.Search;

/// <summary>How well an entry answers a query. Pure.</summary>
internal static class SearchRanking
{
    /// <summary>How much of a text is looked at to rank it, in characters.</summary>
    public const int HeadCharacters = 4_000;

    /// <summary>About how many words an entry has, for which the number of its words says nothing.</summary>
    private const double UsualWords = 60;

    /// <summary>A guess before any text was read: of entries that match, short ones say more about it than long ones, and what people and models say more than what tools print.</summary>
    public static double Guess(SearchCandidate candidate) => WeightOf(candidate.Role) / (1 + (candidate.Length / UsualWords));

    /// <summary>The score of an entry, 0 .. 1.</summary>
    /// <param name="found">The entry.</param>
    /// <param name="text">Its text.</param>
    /// <param name="query">What was looked for.</param>
    /// <param name="weights">How much each group of the query tells: the rarer, the more.</param>
    public static double Score(FoundEntry found, string text, SearchQuery query, IReadOnlyList<double> weights)
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
        var covered = counts.Select((count, group) => count > 0 ? weights[group] : inName.Contains(group) ? 0.7 * weights[group] : 0).Sum() / total;
        var named = inName.Sum(group => weights[group]) / total;
        return covered * WeightOf(found.Entry.Role) * ((0.35 * said) + (0.25 * Closeness(matches, counts)) + (0.15 * named) + 0.25);
    }

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
