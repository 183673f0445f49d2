namespace Cerver.Bench.Histories;

/// <summary>In which order entries stand.</summary>
internal static class OrderRules
{
    /// <summary>Looks at every session's final log.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index) => index.Sessions.SelectMany(session =>
    {
        var placed = index.Requests[session].Where(request => request.Position is not null).ToList();
        return CheckWriters(session, placed).Concat(CheckAnswered(session, placed));
    });

    private static IEnumerable<Violation> CheckWriters(string session, IEnumerable<Request> placed) =>
        from writer in placed.GroupBy(request => request.Writer)
        from pair in writer.Zip(writer.Skip(1))
        where pair.First.Position > pair.Second.Position
        select new Violation(
            Rule.WriterOrder,
            $"{writer.Key} sent {pair.First.Name} before {pair.Second.Name}; they stand at {pair.First.Position} and {pair.Second.Position} in session {session}.");

    /// <summary>
    /// From the end of the log to its beginning, the request that was acknowledged soonest is kept, and the soonest of another writer:
    /// what stands before them must not have been sent after that.
    /// </summary>
    private static IEnumerable<Violation> CheckAnswered(string session, IEnumerable<Request> placed)
    {
        Request? soonest = null, soonestOfAnother = null;
        foreach (var request in placed.OrderByDescending(request => request.Position))
        {
            var behind = soonest?.Writer == request.Writer ? soonestOfAnother : soonest;
            if (behind is not null && behind.Acknowledged < request.Started)
            {
                yield return new(
                    Rule.AnsweredOrder,
                    $"{behind.Name} was acknowledged before {request.Name} was sent; they stand at {behind.Position} and {request.Position} in session {session}.");
            }

            if (request.Acknowledged is null)
            {
                continue;
            }

            if (soonest is null || request.Acknowledged < soonest.Acknowledged)
            {
                soonestOfAnother = soonest?.Writer == request.Writer ? soonestOfAnother : soonest;
                soonest = request;
            }
            else if (request.Writer != soonest.Writer && (soonestOfAnother is null || request.Acknowledged < soonestOfAnother.Acknowledged))
            {
                soonestOfAnother = request;
            }
        }
    }
}
