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
    private const int PageEvents = 500;
    private const int PageBytes = 512 * 1024;

    private enum Kind
    {
        Status = 1,
        RunBegan = 2,
        Output = 3,
        RunEnded = 4,
    }

    /// <summary>Adds the events of a change after its entries, as a part of the change.</summary>
    public static void Insert(SqliteStatements statements, SessionChange change)
    {
        var session = change.Next;

        // A session is running before a run begins in it, and anything else only after its runs have ended.
        if (change is { ChangesStatus: true, Next.Status: SessionStatus.Running })
        {
            InsertStatus(statements, session);
        }

        if (change.Started is { } run)
        {
            Insert(statements, session.SessionId, length: 1, Kind.RunBegan, run.RunId);
        }

        foreach (var ended in change.Ended)
        {
            Insert(statements, session.SessionId, length: 1, Kind.RunEnded, ended.RunId);
        }

        if (change is { ChangesStatus: true, Next.Status: not SessionStatus.Running })
        {
            InsertStatus(statements, session);
        }
    }

    /// <summary>Adds output of a run, as a part of the transaction that adds the output itself.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when the session is gone.</exception>
    public static void InsertOutput(SqliteStatements statements, string sessionId, string runId, ImmutableArray<RunChunk> chunks) =>
        Insert(statements, sessionId, chunks.Length, Kind.Output, runId, chunks[0].Sequence);

    /// <summary>What happened from a position on, or null when the account has no such session. For a snapshot.</summary>
    public static SessionEventPage? Read(SqliteStatements statements, string accountId, string sessionId, long from)
    {
        if (FindHead(statements, accountId, sessionId) is not { } head)
        {
            return null;
        }

        var (position, entries) = FindStart(statements, sessionId, from);
        var page = new Page(statements, accountId, sessionId, from, entries);
        using (var rows = statements.Query("Sessions/Sqlite/read_events.sql", sessionId, position, PageEvents))
        {
            while (!page.IsFull && rows.Read())
            {
                page.AddEntries(upTo: rows.GetInt64(2));
                page.AddEvents(
                    rows.GetInt64(0), rows.GetInt64(1), (Kind)rows.GetInt64(3), rows.TextOrNull(4), rows.IsDBNull(5) ? 0 : rows.GetInt64(5),
                    rows.IsDBNull(6) ? default : (SessionStatus)rows.GetInt64(6), rows.TextOrNull(7));
            }
        }

        page.AddEntries(upTo: head.Entries);
        return new SessionEventPage(head.Entries + head.Events, page.ToImmutable());
    }

    private static void InsertStatus(SqliteStatements statements, SessionRecord session) =>
        Insert(statements, session.SessionId, length: 1, Kind.Status, status: session.Status, endReason: session.EndReason);

    private static void Insert(
        SqliteStatements statements,
        string sessionId,
        int length,
        Kind kind,
        string? runId = null,
        long? sequence = null,
        SessionStatus? status = null,
        string? endReason = null)
    {
        if (statements.Execute("Sessions/Sqlite/insert_event.sql", sessionId, length, (long)kind, runId, sequence, (long?)status, endReason) == 0)
        {
            throw new CerverException(CerverError.NotFound, "There is no such session in this account.");
        }

        statements.Execute("Sessions/Sqlite/count_event.sql", sessionId, length);
    }

    private static (long Entries, long Events)? FindHead(SqliteStatements statements, string accountId, string sessionId)
    {
        using var rows = statements.Query("Sessions/Sqlite/event_head.sql", accountId, sessionId);
        return rows.Read() ? (rows.GetInt64(0), rows.GetInt64(1)) : null;
    }

    /// <summary>From where on the rows must be read for a position, and how many entries come before the position.</summary>
    private static (long Position, long Entries) FindStart(SqliteStatements statements, string sessionId, long from)
    {
        using var rows = statements.Query("Sessions/Sqlite/find_event.sql", sessionId, from);
        if (!rows.Read())
        {
            return (from, from);
        }

        var (position, length, entries) = (rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2));
        return from < position + length ? (position, entries) : (from, from - (position - entries + length));
    }

    /// <summary>Puts entries and other events in their order, until it is full.</summary>
    private sealed class Page(SqliteStatements statements, string accountId, string sessionId, long from, long entries)
    {
        private readonly ImmutableArray<SessionEvent>.Builder _events = ImmutableArray.CreateBuilder<SessionEvent>();
        private long _next = from;
        private long _entries = entries;
        private int _bytes;

        public bool IsFull => _events.Count >= PageEvents || _bytes >= PageBytes;

        public ImmutableArray<SessionEvent> ToImmutable() => _events.ToImmutable();

        public void AddEntries(long upTo)
        {
            while (_entries < upTo && !IsFull)
            {
                var part = SqliteTranscript.Read(statements, sessionId, _entries, Math.Min(upTo - _entries, PageEvents - _events.Count), PageBytes - _bytes);
                if (part.IsEmpty)
                {
                    throw new CerverException(CerverError.StorageUnavailable, "The transcript has a hole; the gateway's operator must look at its database.");
                }

                foreach (var entry in part)
                {
                    Add(new EntryAdded(_next, _entries++, entry), SqliteTranscript.SizeOf(entry));
                }
            }
        }

        public void AddEvents(long position, long length, Kind kind, string? runId, long sequence, SessionStatus status, string? endReason)
        {
            // Entries that did not fit come before this, so it does not fit either.
            if (IsFull)
            {
                return;
            }

            switch (kind)
            {
                case Kind.Status:
                    Add(new StatusChanged(_next, status, endReason), bytes: 64);
                    break;
                case Kind.RunBegan:
                    Add(new RunBegan(_next, runId!), bytes: 64);
                    break;
                case Kind.RunEnded:
                    Add(new RunEnded(_next, SqliteRunStore.FindEnd(statements, accountId, sessionId, runId!)!), bytes: 256);
                    break;
                case Kind.Output:
                    // The page may begin within it.
                    AddOutput(position, length, runId!, sequence);
                    break;
                default:
                    throw new InvalidOperationException($"Session {sessionId} has an event of an unknown kind at {position}.");
            }
        }

        private void AddOutput(long position, long length, string runId, long sequence)
        {
            using var rows = statements.Query(
                "Runs/Sqlite/read_output_part.sql", accountId, runId, sequence + (_next - position), sequence + length - 1);
            while (!IsFull && rows.Read())
            {
                // A chunk that is gone leaves its place empty, and everything else where it was.
                var chunk = SqliteRunStore.ReadChunk(rows);
                _next = position + (chunk.Sequence - sequence);
                Add(new RunPrinted(_next, runId, chunk), chunk.Data.Length);
            }

            if (!IsFull)
            {
                _next = position + length;
            }
        }

        private void Add(SessionEvent added, int bytes)
        {
            _events.Add(added);
            _bytes += bytes;
            _next++;
        }
    }
}
