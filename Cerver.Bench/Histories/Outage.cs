using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>How long those who appended to a session had no answer because of a fault.</summary>
/// <param name="Fault">The fault.</param>
/// <param name="Session">The session.</param>
/// <param name="Longest">The longest time in which somebody waited and nobody was answered.</param>
internal sealed record Outage(Fault Fault, string Session, TimeSpan Longest);

/// <summary>Finds out how long sessions gave no answer.</summary>
internal static class Outages
{
    /// <summary>Clients rest between requests. Who rests no longer than this is still waiting if there was no answer before.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    /// <summary>By fault and session, for every session that somebody appended to then, up to the next fault.</summary>
    /// <param name="history">The history.</param>
    /// <param name="beginOf">From when on the time of a fault counts.</param>
    public static IEnumerable<Outage> Of(History history, Func<Fault, TimeSpan> beginOf)
    {
        var sent = history.Appends.GroupBy(append => append.Session).Select(session => (session.Key, Appends: session.ToImmutableArray())).ToList();
        return
            from fault in history.Faults
            let next = NextOf(history, fault)
            from session in sent
            let longest = Longest(session.Appends, beginOf(fault), next)
            where longest is not null
            select new Outage(fault, session.Key, longest.Value);
    }

    /// <summary>When the next fault after one struck; the end of time when there was none.</summary>
    public static TimeSpan NextOf(History history, Fault fault) =>
        history.Faults.Where(other => other.Struck > fault.Struck).Select(other => other.Struck).DefaultIfEmpty(TimeSpan.MaxValue).Min();

    /// <summary>Per kind of fault, over all faults: how many there were, and the median and the maximum of the longest time of each.</summary>
    public static string Describe(IEnumerable<Outage> outages)
    {
        var lines =
            from kind in outages.GroupBy(outage => outage.Fault.Kind).OrderBy(kind => kind.Key)
            let worst = kind.GroupBy(outage => outage.Fault).Select(fault => fault.Max(outage => outage.Longest.TotalSeconds)).Order().ToList()
            select FormattableString.Invariant(
                $"| {kind.Key,-16} | {worst.Count,6} | {worst[(worst.Count - 1) / 2],6:0.00} s | {worst[^1],6:0.00} s |");
        return $"""
            Longest time without an answer to anybody who appended to a session, worst session of each fault:
            | fault            | number |   median |  maximum |
            |------------------|-------:|---------:|---------:|
            {string.Join('\n', lines)}
            """;
    }

    private static TimeSpan? Longest(ImmutableArray<Append> appends, TimeSpan from, TimeSpan until)
    {
        var answers = new Queue<TimeSpan>(
            appends.Where(append => append.Outcome == Outcome.Acknowledged).Select(append => append.Answered)
                .Where(answered => answered > from && answered <= until).Order());
        TimeSpan? longest = null;
        foreach (var (begin, end) in Waits(appends, from, until))
        {
            // An answer to one is a sign of life to all who wait.
            var since = begin;
            while (answers.TryPeek(out var answered) && answered <= end)
            {
                answers.Dequeue();
                longest = Later(longest, answered - since);
                since = answered > since ? answered : since;
            }

            longest = Later(longest, end - since);
        }

        return longest;
    }

    /// <summary>The times in which somebody waited, without holes and in order.</summary>
    private static IEnumerable<(TimeSpan Begin, TimeSpan End)> Waits(ImmutableArray<Append> appends, TimeSpan from, TimeSpan until)
    {
        (TimeSpan Begin, TimeSpan End)? current = null;
        foreach (var append in appends.Where(append => append.Answered > from && append.Started < until).OrderBy(append => append.Started))
        {
            var begin = append.Started < from ? from : append.Started;
            var end = append.Answered < until ? append.Answered : until;
            if (current is { } wait && begin - wait.End <= Rest)
            {
                current = (wait.Begin, end > wait.End ? end : wait.End);
                continue;
            }

            if (current is { } over)
            {
                yield return over;
            }

            current = (begin, end);
        }

        if (current is { } last)
        {
            yield return last;
        }
    }

    private static TimeSpan Later(TimeSpan? longest, TimeSpan time) => longest is { } known && known > time ? known : time;
}
