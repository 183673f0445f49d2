namespace Cerver.Bench.Histories;

/// <summary>What was read on the way.</summary>
internal static class ReadRules
{
    /// <summary>Looks at every page.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index) =>
        index.History.Pages.GroupBy(page => page.Session).SelectMany(session =>
        {
            var log = index.LogOf(session.Key);
            return session.SelectMany(page => CheckSlice(page, log)).Concat(CheckFresh(session.Key, index, session));
        });

    private static IEnumerable<Violation> CheckSlice(PageRead page, IReadOnlyList<LogEntry> log)
    {
        var what = $"The page from {page.First} on that was read of session {page.Session} at {page.Answered}";
        if (page.First + page.Entries.Length != page.Total)
        {
            yield return new(Rule.PagesAreSlices, $"{what} has {page.Entries.Length} entries of {page.Total}.");
        }

        for (var offset = 0; offset < page.Entries.Length; offset++)
        {
            var position = page.First + offset;
            if (position >= log.Count || log[(int)position] != page.Entries[offset])
            {
                var now = position < log.Count ? $"'{log[(int)position].Content}' stands there in the end" : "nothing stands there in the end";
                yield return new(Rule.PagesAreSlices, $"{what} has '{page.Entries[offset].Content}' at {position}; {now}.");
                yield break;
            }
        }
    }

    /// <summary>Walks through time: what was known at the moment a page was asked for must be in it.</summary>
    private static IEnumerable<Violation> CheckFresh(string session, HistoryIndex index, IEnumerable<PageRead> pages)
    {
        var known = index.History.Appends
            .Where(append => append.Session == session && append.Total is not null)
            .Select(append => (append.Answered, Total: append.Total!.Value))
            .Concat(pages.Select(page => (page.Answered, page.Total)))
            .Order()
            .ToList();
        var next = 0;
        var total = 0L;
        foreach (var page in pages.OrderBy(page => page.Started))
        {
            for (; next < known.Count && known[next].Answered < page.Started; next++)
            {
                total = Math.Max(total, known[next].Total);
            }

            if (page.Total < total)
            {
                yield return new(
                    Rule.ReadsSeeAcknowledged,
                    $"Session {session} had {total} entries before {page.Started}, and the page that was asked for then knows {page.Total}.");
            }
        }
    }
}
