using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>Whether every source tells the same final state.</summary>
internal static class SourceRules
{
    /// <summary>Compares all sources with the first.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index) =>
        from final in index.History.Finals.Skip(1)
        from complaint in Compare(index.Final, final)
        select new Violation(Rule.SameEverywhere, $"What was read {final.Source} differs from what was read {index.Final.Source}: {complaint}.");

    private static IEnumerable<string> Compare(FinalState first, FinalState other)
    {
        if (first.Sessions is { } sessions && other.Sessions is { } otherSessions
            && !sessions.Select(session => (session.Session, session.Name)).ToHashSet().SetEquals(otherSessions.Select(session => (session.Session, session.Name))))
        {
            yield return $"there are {otherSessions.Length} sessions instead of {sessions.Length}, or others";
        }

        var logs = other.Logs.ToDictionary(log => log.Session);
        foreach (var log in first.Logs)
        {
            if (!logs.TryGetValue(log.Session, out var compared))
            {
                yield return $"the transcript of session {log.Session} is missing";
            }
            else if (Difference(log.Entries, compared.Entries) is { } difference)
            {
                yield return $"the transcript of session {log.Session} {difference}";
            }
        }

        var runs = (first.Runs ?? []).Select(run => (Stream: run.Run, run.Events));
        var otherRuns = other.Runs?.Select(run => (Stream: run.Run, run.Events));
        var streams = (first.Streams ?? []).Select(stream => (Stream: stream.Session, stream.Events));
        var otherStreams = other.Streams?.Select(stream => (Stream: stream.Session, stream.Events));
        foreach (var complaint in CompareEvents("run", runs, otherRuns).Concat(CompareEvents("the stream of session", streams, otherStreams)))
        {
            yield return complaint;
        }
    }

    private static IEnumerable<string> CompareEvents(
        string what,
        IEnumerable<(string Stream, ImmutableArray<StreamEvent> Events)> first,
        IEnumerable<(string Stream, ImmutableArray<StreamEvent> Events)>? other)
    {
        if (other is null)
        {
            yield break;
        }

        var compared = other.ToDictionary(stream => stream.Stream, stream => stream.Events);
        foreach (var (stream, events) in first)
        {
            if (!compared.TryGetValue(stream, out var otherEvents))
            {
                yield return $"{what} {stream} is missing";
            }
            else if (Difference(events, otherEvents) is { } difference)
            {
                yield return $"{what} {stream} {difference}";
            }
        }
    }

    private static string? Difference<T>(ImmutableArray<T> first, ImmutableArray<T> other)
        where T : IEquatable<T>
    {
        var equal = first.Zip(other).TakeWhile(pair => pair.First.Equals(pair.Second)).Count();
        return equal == first.Length && equal == other.Length
            ? null
            : $"is the same up to {equal} only, with {other.Length} instead of {first.Length}";
    }
}
