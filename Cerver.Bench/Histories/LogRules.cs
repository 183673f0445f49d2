using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>What is in a transcript and what is not.</summary>
internal static class LogRules
{
    /// <summary>Looks at every session's final log.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index) => index.Sessions.SelectMany(session => Check(index, session));

    private static IEnumerable<Violation> Check(HistoryIndex index, string session)
    {
        var log = index.LogOf(session);
        var places = index.Places[session];
        if (index.Logs.TryGetValue(session, out var final) && final.Total != log.Length)
        {
            yield return new(Rule.PositionsAreDense, $"Session {session} says it has {final.Total} entries and gave {log.Length}.");
        }

        foreach (var violation in index.Requests[session].SelectMany(request => CheckRequest(session, request, places)))
        {
            yield return violation;
        }

        foreach (var violation in CheckEntries(index, session, log))
        {
            yield return violation;
        }
    }

    private static IEnumerable<Violation> CheckRequest(string session, Request request, ILookup<string, long> places)
    {
        var present = request.Payloads.Count(payload => places[payload].Any());
        if (present == 0 && request.Acknowledged is { } acknowledged)
        {
            yield return new(Rule.AcknowledgedIsKept, $"{request.Name} was acknowledged at {acknowledged} and is not in session {session}.");
        }

        if (present > 0 && request.IsRefused)
        {
            yield return new(Rule.RefusedIsAbsent, $"{request.Name} was refused and is in session {session} all the same.");
        }

        var twice = request.Payloads.FirstOrDefault(payload => places[payload].Skip(1).Any());
        if (twice is not null)
        {
            var rule = request.Attempts[0].Key is null ? Rule.NothingTwice : Rule.KeyHasOneEffect;
            var key = request.Attempts[0].Key is { } sent ? $" (its key is '{sent}', sent {request.Attempts.Length} times)" : string.Empty;
            yield return new(rule, $"'{twice}' is in session {session} at {string.Join(" and ", places[twice])}{key}.");
            yield break;
        }

        if (request.Position is { } first && !request.Payloads.Select((payload, offset) => places[payload].Contains(first + offset)).All(held => held))
        {
            yield return new(Rule.RequestIsWhole, $"{request.Name} and what was sent with it do not stand together in session {session}.");
        }
        else if (present > 0 && request.Position is null)
        {
            yield return new(Rule.RequestIsWhole, $"{request.Name} is not in session {session}, but others that were sent with it are.");
        }

        foreach (var violation in CheckAnswers(session, request))
        {
            yield return violation;
        }
    }

    private static IEnumerable<Violation> CheckAnswers(string session, Request request)
    {
        var totals = request.Attempts.Select(attempt => attempt.Total).OfType<long>().Distinct().ToImmutableArray();
        if (totals.Length > 1)
        {
            yield return new(
                Rule.KeyHasOneEffect,
                $"{request.Name} was sent again with its key to session {session} and answered with the totals {string.Join(" and ", totals)}.");
        }
        else if (totals is [var total] && request.Position is { } first && total != first + request.Payloads.Length)
        {
            yield return new(
                Rule.PositionsAreDense,
                $"{request.Name} stands at {first} in session {session}, and the total answered for it was {total}.");
        }
    }

    private static IEnumerable<Violation> CheckEntries(HistoryIndex index, string session, ImmutableArray<LogEntry> log)
    {
        var sent = index.Requests[session].SelectMany(request => request.Payloads).ToHashSet(StringComparer.Ordinal);
        var runs = index.Runs[session].Select(run => run.Run).ToHashSet(StringComparer.Ordinal);
        for (var position = 0; position < log.Length; position++)
        {
            var entry = log[position];
            var known = entry.ToolId is { } tool
                ? runs.Contains(tool) && entry is { Role: "assistant", Kind: "tool_use" } or { Role: "tool", Kind: "tool_result" }
                : entry.Content is { } content && sent.Contains(content);
            if (!known)
            {
                yield return new(
                    Rule.NothingUnsent, $"Nobody sent entry {position} of session {session}: {entry.Role}, {entry.Kind}, '{entry.Content}'.");
            }
        }
    }
}
