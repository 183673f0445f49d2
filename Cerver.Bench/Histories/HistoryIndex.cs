using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>All attempts of one append.</summary>
/// <param name="Attempts">The attempts, at least one, in the order in which they were sent.</param>
/// <param name="Position">Where its first payload is in the final log, or null when it is not there.</param>
internal sealed record Request(ImmutableArray<Append> Attempts, long? Position)
{
    /// <summary>Who sent it.</summary>
    public string Writer => Attempts[0].Writer;

    /// <summary>What names it in a sentence.</summary>
    public string Name => $"'{Attempts[0].Payloads[0]}'";

    /// <summary>What it appends.</summary>
    public ImmutableArray<string> Payloads => Attempts[0].Payloads;

    /// <summary>When it was sent first.</summary>
    public TimeSpan Started => Attempts[0].Started;

    /// <summary>When it was acknowledged first, or null.</summary>
    public TimeSpan? Acknowledged { get; } =
        Attempts.Where(attempt => attempt.Outcome == Outcome.Acknowledged).Select(attempt => (TimeSpan?)attempt.Answered).Min();

    /// <summary>Whether every attempt was refused.</summary>
    public bool IsRefused { get; } = Attempts.All(attempt => attempt.Outcome == Outcome.Refused);
}

/// <summary>A history, arranged for questions.</summary>
internal sealed class HistoryIndex
{
    /// <summary>Arranges a history that has a final state.</summary>
    public HistoryIndex(History history)
    {
        History = history;
        Final = history.Finals[0];
        Logs = Final.Logs.ToDictionary(log => log.Session);
        Runs = (Final.Runs ?? []).ToLookup(run => run.Session);
        var appends = history.Appends.ToLookup(append => append.Session);
        Sessions = [.. appends.Select(session => session.Key).Union(Logs.Keys)];
        Places = Sessions.ToDictionary(session => session, session => PlacesIn(LogOf(session)));
        Requests = Sessions.ToDictionary(session => session, session => RequestsOf(appends[session], Places[session]));
    }

    /// <summary>What clients did and saw.</summary>
    public History History { get; }

    /// <summary>What the gateway held in the end.</summary>
    public FinalState Final { get; }

    /// <summary>The final logs by session.</summary>
    public IReadOnlyDictionary<string, FinalLog> Logs { get; }

    /// <summary>The final runs by session.</summary>
    public ILookup<string, FinalRun> Runs { get; }

    /// <summary>Every session that was written to or is there.</summary>
    public ImmutableArray<string> Sessions { get; }

    /// <summary>By session and content: the positions in the final log of the entries that clients wrote.</summary>
    public IReadOnlyDictionary<string, ILookup<string, long>> Places { get; }

    /// <summary>By session: what was to be appended, in the order of the first sending.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<Request>> Requests { get; }

    /// <summary>The final entries of a session; none when there is no such session.</summary>
    public ImmutableArray<LogEntry> LogOf(string session) => Logs.TryGetValue(session, out var log) ? log.Entries : [];

    private static ILookup<string, long> PlacesIn(ImmutableArray<LogEntry> log) => log
        .Select((entry, position) => (entry, Position: (long)position))
        .Where(placed => placed.entry is { ToolId: null, Content: not null })
        .ToLookup(placed => placed.entry.Content!, placed => placed.Position);

    private static ImmutableArray<Request> RequestsOf(IEnumerable<Append> appends, ILookup<string, long> places) =>
    [
        .. appends
            .GroupBy(append => append.Payloads[0])
            .Select(attempts => new Request([.. attempts.OrderBy(attempt => attempt.Started)], places[attempts.Key].Cast<long?>().FirstOrDefault()))
            .OrderBy(request => request.Started),
    ];
}
