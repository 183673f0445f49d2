using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Grains.Operations.Sqlite;
using Cerver.Grains.Runs.Sqlite;
using Cerver.Grains.Search;
using Cerver.Grains.Search.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Sessions.Sqlite;

/// <summary>Sessions in SQLite. Reads run on pooled connections and see whole commits only; writes go through the commit pipeline.</summary>
internal sealed class SqliteSessionStore(
    SqliteReaders readers, SqliteCommitPipeline pipeline, SqlitePurge purge, SqliteSearchIndex index, IOptions<SearchOptions> search, TimeProvider time) : ISessionStore
{
    private const int BaseBytes = 512;

    private long? _lastChange;

    /// <inheritdoc/>
    public Task<SessionRecord?> FindAsync(string accountId, string sessionId, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements => Find(statements, accountId, sessionId));

    /// <inheritdoc/>
    public Task<SessionPage?> ReadAsync(string accountId, string sessionId, TranscriptSlice slice, CancellationToken cancellationToken) =>
        readers.ReadSnapshotAsync(statements =>
        {
            if (Find(statements, accountId, sessionId) is not { } session)
            {
                return null;
            }

            var first = SessionPages.FirstOf(slice, session.TranscriptTotal);
            var limit = Math.Min(SessionPages.MaxEntries, session.TranscriptTotal - first);
            return new SessionPage(session, first, SqliteTranscript.Read(statements, sessionId, first, limit, SessionPages.MaxBytes));
        });

    /// <inheritdoc/>
    public Task<SessionList> ListAsync(string accountId, SessionFilter filter, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements =>
        {
            var (before, beforeId) = SessionPages.PlaceOf(filter);
            var found = ReadRecords(statements.Query(
                filter.Status is null ? "Sessions/Sqlite/list.sql" : "Sessions/Sqlite/list_by_status.sql",
                accountId,
                before,
                beforeId,
                filter.Source,
                filter.Harness,
                filter.Name?.ToLowerInvariant(),
                (long?)filter.Status,
                filter.Limit + 1,
                filter.Provider,
                SessionPages.EarliestOf(filter)));
            return SessionPages.ListOf(found, filter.Limit);
        });

    /// <inheritdoc/>
    public Task CommitAsync(SessionChange change, CancellationToken cancellationToken)
    {
        // Not on the writer's thread, for which everybody waits.
        var documents = search.Value.Enabled ? SearchDocument.Of(change.Next, change.Entries) : [];
        return pipeline.CommitAsync(
            statements => Apply(statements, change),
            BaseBytes + change.Entries.Sum(SessionEntries.SizeOf),
            cancellationToken,
            documents.IsEmpty ? null : statements => index.Insert(statements, change.Next.AccountId, change.Next.SessionId, documents));
    }

    /// <inheritdoc/>
    public Task<long?> FindAppendAsync(string accountId, string sessionId, Guid appendId, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements => SqliteTranscript.FindAppend(statements, accountId, sessionId, appendId));

    /// <inheritdoc/>
    public Task<SessionEventPage?> ReadEventsAsync(string accountId, string sessionId, long from, CancellationToken cancellationToken) =>
        readers.ReadSnapshotAsync(statements => SqliteSessionEvents.Read(statements, accountId, sessionId, from));

    /// <inheritdoc/>
    public Task<ChangedSessions> ListChangedAsync(string accountId, long after, int limit, CancellationToken cancellationToken) =>
        readers.ReadSnapshotAsync(statements =>
        {
            var head = statements.QueryNumber("Sessions/Sqlite/change_head.sql", accountId);
            var sessions = ImmutableArray.CreateBuilder<ChangedSession>();
            using var rows = statements.Query("Sessions/Sqlite/list_changed.sql", accountId, after, limit);
            while (rows.Read())
            {
                sessions.Add(new ChangedSession(rows.GetInt64(23), ReadRecord(rows)));
            }

            return new ChangedSessions(head, sessions.ToImmutable());
        });

    /// <inheritdoc/>
    public Task PurgeAsync(string accountId, string sessionId, RecordedOperation? operation, CancellationToken cancellationToken) =>
        purge.RunAsync(accountId, sessionId, operation, cancellationToken);

    /// <inheritdoc/>
    public Task ResumePurgesAsync(CancellationToken cancellationToken) => purge.ResumeAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsBeingErasedAsync(string sessionId, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements =>
        {
            using var rows = statements.Query("Sessions/Sqlite/find_purge.sql", sessionId);
            return rows.Read();
        });

    /// <inheritdoc/>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        pipeline.EnsureTakesWrites();
        await FindAsync(accountId: "", sessionId: "", cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> HasSandboxAsync(string sandboxId, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements =>
        {
            using var rows = statements.Query("Sessions/Sqlite/find_sandbox.sql", sandboxId);
            return rows.Read();
        });

    /// <inheritdoc/>
    public Task<ImmutableArray<BusySandbox>> ListBusyAsync(CancellationToken cancellationToken) =>
        readers.ReadAsync(static statements =>
        {
            using var rows = statements.Query("Sessions/Sqlite/list_busy.sql");
            var busy = new HashSet<BusySandbox>();
            while (rows.Read())
            {
                busy.Add(new(rows.GetString(0), rows.GetString(1), rows.GetString(2)));
            }

            return busy.ToImmutableArray();
        });

    private void Apply(SqliteStatements statements, SessionChange change)
    {
        var session = change.Next;
        var number = NextChange(statements);
        if (change.IsNew)
        {
            Insert(statements, session, number);
        }
        else if ((change.RewritesRecord ? Update(statements, session, number) : Touch(statements, session, number)) == 0)
        {
            throw new CerverException(CerverError.Fenced, "Somebody else wrote to this session first. Try again.");
        }

        SqliteTranscript.Insert(statements, session, change.Entries, change.AppendId);
        if (change.Started is { } run)
        {
            SqliteRunStore.Insert(statements, session.AccountId, run);
        }

        foreach (var ended in change.Ended)
        {
            SqliteRunStore.End(statements, ended);
        }

        SqliteSessionEvents.Insert(statements, change);
        if (change.Forgotten is { } key)
        {
            SqliteOperationStore.Forget(statements, session.AccountId, key);
        }

        if (change.Recorded is { } operation)
        {
            SqliteOperationStore.Insert(statements, session.AccountId, session.SessionId, operation, time.GetUtcNow());
        }

        if (change.Completed is { } completed)
        {
            SqliteOperationStore.Complete(statements, session.AccountId, completed);
        }
    }

    /// <summary>
    /// The number of the change that is being made. Only the writer's thread comes here. The clock gives it, so that numbers go on after what was erased;
    /// when the clock goes back they count.
    /// </summary>
    private long NextChange(SqliteStatements statements)
    {
        _lastChange ??= statements.QueryNumber("Sessions/Sqlite/last_change.sql");
        _lastChange = Math.Max(_lastChange.Value + 1, UnixMicroseconds.From(time.GetUtcNow()));
        return _lastChange.Value;
    }

    private static void Insert(SqliteStatements statements, SessionRecord session, long change) => statements.Execute(
        "Sessions/Sqlite/insert.sql",
        session.SessionId,
        session.AccountId,
        session.SessionName,
        (long)session.Status,
        session.EndReason,
        session.SessionType,
        session.Harness,
        session.Provider,
        session.ComputeId,
        session.SandboxId,
        session.Task,
        session.Workload,
        session.Requirements,
        session.Metadata,
        session.Metrics.ProvisionTimeMs,
        session.Metrics.RunCount,
        session.Metrics.RunTimeMs,
        session.ParentSessionId,
        session.PreviousSessionId,
        UnixMicroseconds.From(session.CreatedAt),
        UnixMicroseconds.From(session.UpdatedAt),
        session.TranscriptTotal,
        session.Version,
        SessionPages.SourceOf(session.Metadata),
        change);

    private static int Update(SqliteStatements statements, SessionRecord session, long change) => statements.Execute(
        "Sessions/Sqlite/update.sql",
        session.SessionId,
        session.AccountId,
        session.Version - 1,
        session.SessionName,
        (long)session.Status,
        session.EndReason,
        session.Provider,
        session.ComputeId,
        session.SandboxId,
        session.Metadata,
        SessionPages.SourceOf(session.Metadata),
        session.Metrics.ProvisionTimeMs,
        session.Metrics.RunCount,
        session.Metrics.RunTimeMs,
        UnixMicroseconds.From(session.UpdatedAt),
        session.TranscriptTotal,
        change);

    private static int Touch(SqliteStatements statements, SessionRecord session, long change) => statements.Execute(
        "Sessions/Sqlite/touch.sql",
        session.SessionId,
        session.AccountId,
        session.Version - 1,
        UnixMicroseconds.From(session.UpdatedAt),
        session.TranscriptTotal,
        change);

    private static SessionRecord? Find(SqliteStatements statements, string accountId, string sessionId)
    {
        using var rows = statements.Query("Sessions/Sqlite/find.sql", accountId, sessionId);
        return rows.Read() ? ReadRecord(rows) : null;
    }

    private static ImmutableArray<SessionRecord> ReadRecords(SqliteDataReader rows)
    {
        using (rows)
        {
            var sessions = ImmutableArray.CreateBuilder<SessionRecord>();
            while (rows.Read())
            {
                sessions.Add(ReadRecord(rows));
            }

            return sessions.ToImmutable();
        }
    }

    /// <summary>Reads the columns that every statement here selects, in their order.</summary>
    private static SessionRecord ReadRecord(SqliteDataReader rows) => new(
        SessionId: rows.GetString(0),
        AccountId: rows.GetString(1),
        SessionName: rows.GetString(2),
        Status: (SessionStatus)rows.GetInt64(3),
        EndReason: rows.TextOrNull(4),
        SessionType: rows.TextOrNull(5),
        Harness: rows.TextOrNull(6),
        Provider: rows.GetString(7),
        ComputeId: rows.TextOrNull(8),
        SandboxId: rows.TextOrNull(9),
        Task: rows.TextOrNull(10),
        Workload: rows.TextOrNull(11),
        Requirements: rows.TextOrNull(12),
        Metadata: rows.TextOrNull(13),
        Metrics: new(rows.IsDBNull(14) ? null : rows.GetInt64(14), rows.GetInt64(15), rows.GetInt64(16)),
        ParentSessionId: rows.TextOrNull(17),
        PreviousSessionId: rows.TextOrNull(18),
        CreatedAt: UnixMicroseconds.To(rows.GetInt64(19)),
        UpdatedAt: UnixMicroseconds.To(rows.GetInt64(20)),
        TranscriptTotal: rows.GetInt64(21),
        Version: rows.GetInt64(22));
}
