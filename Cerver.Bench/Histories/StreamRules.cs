using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>What the streams of whole sessions tell, beside their transcripts and runs.</summary>
internal static class StreamRules
{
    private static readonly string[] RunEvents = ["run", "stdout", "stderr", "exit", "error"];

    /// <summary>Looks at every session's stream.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index) =>
        from stream in index.Final.Streams ?? []
        from complaint in CheckIds(stream.Events).Concat(CheckEntries(stream, index)).Concat(CheckRuns(stream, index))
        select new Violation(Rule.StreamsTellTheLog, $"The stream of session {stream.Session} {complaint}.");

    private static IEnumerable<string> CheckIds(ImmutableArray<StreamEvent> events)
    {
        for (var position = 0; position < events.Length; position++)
        {
            if (events[position].Id != position)
            {
                yield return $"has the id {events[position].Id} where {position} belongs";
                yield break;
            }
        }
    }

    private static IEnumerable<string> CheckEntries(FinalStream stream, HistoryIndex index)
    {
        var log = index.LogOf(stream.Session);
        var told = stream.Events.Where(happened => happened.Kind == "entry").Select(EventData.EntryOf).ToList();
        for (var position = 0; position < Math.Min(told.Count, log.Length); position++)
        {
            if (told[position].Index != position || told[position].Entry != log[position])
            {
                yield return $"tells '{told[position].Entry.Content}' as entry {told[position].Index}, where {position}, '{log[position].Content}', belongs";
                yield break;
            }
        }

        if (told.Count != log.Length)
        {
            yield return $"tells {told.Count} entries, and there are {log.Length}";
        }
    }

    private static IEnumerable<string> CheckRuns(FinalStream stream, HistoryIndex index)
    {
        var told = stream.Events
            .Where(happened => RunEvents.Contains(happened.Kind))
            .ToLookup(happened => EventData.TextOf(happened, "run_id") ?? string.Empty);
        var runs = index.Runs[stream.Session].ToList();
        foreach (var unknown in told.Where(run => !runs.Exists(known => known.Run == run.Key)))
        {
            yield return $"tells of run '{unknown.Key}', which is not there";
        }

        foreach (var run in runs)
        {
            var events = told[run.Run].ToList();
            if (events is not [{ Kind: "run" }, .., var last] || last.Kind != run.Events[^1].Kind || events.Count(EventData.IsEnd) > 1)
            {
                yield return $"tells of run {run.Run} not from its beginning to its one end";
            }
            else if (EventData.OutputOf(events, "stdout") != EventData.OutputOf(run.Events, "stdout")
                || EventData.OutputOf(events, "stderr") != EventData.OutputOf(run.Events, "stderr"))
            {
                yield return $"tells other output of run {run.Run} than its rows";
            }
        }
    }
}
