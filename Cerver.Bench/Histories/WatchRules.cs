namespace Cerver.Bench.Histories;

/// <summary>What watchers collected.</summary>
internal static class WatchRules
{
    /// <summary>Looks at every watcher of a run or of a session.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index)
    {
        var runs = (index.Final.Runs ?? []).Select(run => (Stream: run.Run, run.Events));
        var sessions = (index.Final.Streams ?? []).Select(session => (Stream: session.Session, session.Events));
        var streams = runs.Concat(sessions).DistinctBy(stream => stream.Stream).ToDictionary(stream => stream.Stream, stream => stream.Events);
        return index.History.Watchers
            .Where(watched => watched.Stream != AccountRules.Stream)
            .SelectMany(watched => Check(watched, streams.GetValueOrDefault(watched.Stream, [])));
    }

    private static IEnumerable<Violation> Check(Watched watched, IReadOnlyList<StreamEvent> stream)
    {
        if (Difference(watched, stream) is { } difference)
        {
            yield return new(Rule.WatchersAreSlices, $"{watched.Watcher} watched {watched.Stream} from {watched.After} on and {difference}.");
        }
        else if (watched.ReachedEnd && watched.After + watched.Events.Length != stream.Count - 1)
        {
            yield return new(
                Rule.WatchersAreSlices,
                $"{watched.Watcher} saw the end of {watched.Stream} at {watched.After + watched.Events.Length}, and it ends at {stream.Count - 1}.");
        }

        if (!watched.ReachedEnd)
        {
            yield return new(
                Rule.WatchersEnd,
                $"{watched.Watcher} did not come to the end of {watched.Stream}: it had {watched.Events.Length} events from {watched.After} on.");
        }
    }

    private static string? Difference(Watched watched, IReadOnlyList<StreamEvent> stream)
    {
        for (var seen = 0; seen < watched.Events.Length; seen++)
        {
            var expected = watched.After + 1 + seen;
            var got = watched.Events[seen];
            if (got.Id != expected)
            {
                return $"got the event {got.Id}, '{got.Kind}', where {expected} belongs";
            }

            if (expected >= stream.Count)
            {
                return $"got the event {expected}, '{got.Kind}', which is not there in the end";
            }

            if (stream[(int)expected] is var kept && got != kept)
            {
                return $"got as event {expected} '{got.Kind} {got.Data}', which in the end is '{kept.Kind} {kept.Data}'";
            }
        }

        return null;
    }
}
