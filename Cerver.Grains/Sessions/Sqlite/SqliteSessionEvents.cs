using Cerver.Errors;
using Cerver.Grains.Runs.Sqlite;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions.Sqlite;

/// <summary>
/// What happened in sessions, in one order each. Entries have no row of their own in it: an event that is none says how many entries come
/// before it, so that an append costs no more than its entries.
/// </summary>
internal static class SqliteSessionEvents
{
    /// <summary>Adds the events of a change after its entries, as a part of the change.</summary>
    public static void Insert(SqliteStatements statements, SessionChange change)
    {
        foreach (var row in SessionEventPager.EventsOf(change))
        {
            Insert(statements, change.Next.SessionId, row);
        }
    }

    /// <summary>Adds output of a run, as a part of the transaction that adds the output itself.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when the session is gone.</exception>
    public static void InsertOutput(SqliteStatements statements, string sessionId, string runId, ImmutableArray<RunChunk> chunks) =>
        Insert(statements, sessionId, new SessionEventRow(0, chunks.Length, 0, SessionEventKind.Output, runId, chunks[0].Sequence, default, EndReason: null));

    /// <summary>What happened from a position on, or null when the account has no such session. For a snapshot.</summary>
    public static SessionEventPage? Read(SqliteStatements statements, string accountId, string sessionId, long from)
    {
        if (FindHead(statements, accountId, sessionId) is not { } head)
        {
            return null;
        }

        var (position, entries) = SessionEventPager.FindStart(from, FindEvent(statements, sessionId, from));
        var page = new SessionEventPager(new Details(statements, accountId, sessionId), from, entries);
        using (var rows = statements.Query("Sessions/Sqlite/read_events.sql", sessionId, position, SessionEventPager.PageEvents))
        {
            while (!page.IsFull && rows.Read())
            {
                page.Add(new SessionEventRow(
                    rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), (SessionEventKind)rows.GetInt64(3), rows.TextOrNull(4), rows.IsDBNull(5) ? 0 : rows.GetInt64(5),
                    rows.IsDBNull(6) ? default : (SessionStatus)rows.GetInt64(6), rows.TextOrNull(7)));
            }
        }

        return page.End(head.Entries, head.Events);
    }

    private static void Insert(SqliteStatements statements, string sessionId, SessionEventRow row)
    {
        long? sequence = row.Kind == SessionEventKind.Output ? row.Sequence : null;
        long? status = row.Kind == SessionEventKind.Status ? (long)row.Status : null;
        if (statements.Execute("Sessions/Sqlite/insert_event.sql", sessionId, row.Length, (long)row.Kind, row.RunId, sequence, status, row.EndReason) == 0)
        {
            throw new CerverException(CerverError.NotFound, "There is no such session in this account.");
        }

        statements.Execute("Sessions/Sqlite/count_event.sql", sessionId, row.Length);
    }

    private static (long Entries, long Events)? FindHead(SqliteStatements statements, string accountId, string sessionId)
    {
        using var rows = statements.Query("Sessions/Sqlite/event_head.sql", accountId, sessionId);
        return rows.Read() ? (rows.GetInt64(0), rows.GetInt64(1)) : null;
    }

    private static (long Position, long Length, long Entries)? FindEvent(SqliteStatements statements, string sessionId, long from)
    {
        using var rows = statements.Query("Sessions/Sqlite/find_event.sql", sessionId, from);
        return rows.Read() ? (rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2)) : null;
    }

    private sealed class Details(SqliteStatements statements, string accountId, string sessionId) : ISessionEventDetails
    {
        public ImmutableArray<TranscriptEntry> ReadEntries(long first, long limit, int maxBytes) =>
            SqliteTranscript.Read(statements, sessionId, first, limit, maxBytes) is { IsEmpty: false } part ? part : throw SessionEventPager.Hole();

        public RunRecord FindEnd(string runId) => SqliteRunStore.FindEnd(statements, accountId, sessionId, runId)!;

        public IEnumerable<RunChunk> ReadOutput(string runId, long first, long last)
        {
            using var rows = statements.Query("Runs/Sqlite/read_output_part.sql", accountId, runId, first, last);
            while (rows.Read())
            {
                yield return SqliteRunStore.ReadChunk(rows);
            }
        }
    }
}
