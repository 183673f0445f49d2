using System.Text.Json;

namespace Cerver.Bench.Histories;

/// <summary>What the stream of the account tells: which sessions changed, each as it was then. Of changes in a moment only the last is told.</summary>
internal static class AccountRules
{
    /// <summary>What the account's stream is called among those that are watched.</summary>
    public const string Stream = "account";

    private const string Beginning = "ready";
    private const string Change = "session";

    /// <summary>Looks at every watcher of the account.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index)
    {
        var last = index.History.Finals.LastOrDefault(final => final.Sessions is not null) ?? index.Final;
        return
            from watched in index.History.Watchers.Where(watched => watched.Stream == Stream)
            from complaint in CheckIds(watched.Events).Concat(FindUntold(watched.Events, last))
            select new Violation(Rule.AccountIsTold, $"{watched.Watcher} {complaint}.");
    }

    /// <summary>The sessions of whose last change a watcher was not told, as the ends of sentences.</summary>
    /// <param name="events">What the watcher collected from before the first session on.</param>
    /// <param name="final">The sessions as they were in the end.</param>
    public static IEnumerable<string> FindUntold(IReadOnlyList<StreamEvent> events, FinalState final)
    {
        var untold = (final.Sessions ?? []).Where(session => session.Record is not null).ToDictionary(session => session.Session);
        for (var place = events.Count - 1; place >= 0 && untold.Count > 0; place--)
        {
            if (events[place].Kind != Change || EventData.TextOf(events[place], "session_id") is not { } id || !untold.Remove(id, out var session))
            {
                continue;
            }

            if (Difference(events[place].Data, session.Record!) is { } field)
            {
                yield return $"was last told of session {id} with the change {events[place].Id}, in which '{field}' is other than what was read {final.Source}";
            }
        }

        foreach (var session in untold.Values)
        {
            yield return $"was never told of session {session.Session}";
        }
    }

    private static IEnumerable<string> CheckIds(IReadOnlyList<StreamEvent> events)
    {
        if (events is not [{ Kind: Beginning }, ..])
        {
            yield return "was not told first where its watching begins";
        }

        var changes = -1L;
        for (var place = 1; place < events.Count; place++)
        {
            var (before, now) = (events[place - 1], events[place]);
            if (now.Kind == Beginning)
            {
                // It may begin earlier than asked for, when there has been no such change, but never later.
                if (now.Id > before.Id)
                {
                    yield return $"came back after {before.Id} and began after {now.Id}";
                }

                continue;
            }

            if (now.Id <= before.Id || now.Id <= changes)
            {
                yield return $"got the change {now.Id} after {Math.Max(before.Id, changes)}";
            }

            changes = Math.Max(changes, now.Id);
        }
    }

    /// <summary>The name of the first field of an event that the record does not have, or has otherwise; null when there is none.</summary>
    private static string? Difference(string told, string record)
    {
        using var was = JsonDocument.Parse(told);
        using var now = JsonDocument.Parse(record);
        foreach (var field in was.RootElement.EnumerateObject())
        {
            if (!now.RootElement.TryGetProperty(field.Name, out var value) || !JsonElement.DeepEquals(field.Value, value))
            {
                return field.Name;
            }
        }

        return null;
    }
}
