namespace Cerver.Grains.Search;

/// <summary>The newest matches below a number: what is ranked at once.</summary>
/// <param name="Candidates">The matches, the newest first.</param>
/// <param name="Rest">The number below which nothing was looked at; 0 when there is nothing more.</param>
internal sealed record SearchWindow(IReadOnlyList<SearchCandidate> Candidates, long Rest)
{
    private const int FirstSpan = 2 * SearchMarks.BlockEntries;
    private const long WidestSpan = 1L << 24;
    private static readonly TimeSpan RoundTime = TimeSpan.FromMilliseconds(4);

    /// <summary>After this, enough for some pages is enough.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan AllRounds = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Goes back from a number in steps until there are enough matches. A step is as wide as the last one's time and finds allow: of a common word the newest
    /// entries have enough, for a rare one a few wide steps go over everything, and what takes too long ends early, to be gone on with later.
    /// </summary>
    /// <param name="reader">The index.</param>
    /// <param name="query">What to look for.</param>
    /// <param name="end">The number below which to look.</param>
    /// <param name="wanted">How many matches are wanted.</param>
    /// <param name="enough">How many are enough when finding them has taken some milliseconds.</param>
    /// <param name="time">The clock.</param>
    public static async Task<SearchWindow> CollectAsync(ISearchReader reader, SearchQuery query, long end, int wanted, int enough, TimeProvider time)
    {
        var found = new List<SearchCandidate>();
        var began = time.GetTimestamp();
        var to = end;
        long span = FirstSpan;
        while (to > 0 && time.GetElapsedTime(began) < (found.Count < enough ? AllRounds : Patience))
        {
            var from = Math.Max(0, to - span) / SearchMarks.BlockEntries * SearchMarks.BlockEntries;
            var step = time.GetTimestamp();
            var more = await reader.FindAsync(query, from, to, wanted - found.Count);
            found.AddRange(more);
            if (found.Count == wanted)
            {
                return new SearchWindow(found, found[^1].Number);
            }

            to = from;
            span = NextSpan(span, time.GetElapsedTime(step), end - to, found.Count, wanted);
        }

        return new SearchWindow(found, to);
    }

    private static long NextSpan(long span, TimeSpan took, long seen, int found, int wanted)
    {
        var byTime = span * Math.Clamp(RoundTime / took, 0.5, 32);
        var byFinds = found == 0 ? double.MaxValue : (double)seen / found * (wanted - found) * 1.25;
        return (long)Math.Clamp(Math.Min(byTime, byFinds), FirstSpan, WidestSpan);
    }
}
