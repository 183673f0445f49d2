using Cerver.Grains.Operations;
using Cerver.Grains.Search;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Sessions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Cerver.Grains.Sessions.Postgres;

/// <summary>Sessions in PostgreSQL. Changes go through the commit pipeline.</summary>
internal sealed class PostgresSessionStore(
    PostgresConnections connections, PostgresCommitPipeline pipeline, PostgresPurge purge, IOptions<SearchOptions> search, TimeProvider time) : ISessionStore
{
    /// <inheritdoc/>
    public Task<SessionRecord?> FindAsync(string accountId, string sessionId, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Sessions/Postgres/find.sql").Text(accountId).Text(sessionId),
        static (rows, cancellation) => rows.ReadOneAsync(static row => ReadRecord(row, first: 0), cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public Task<SessionPage?> ReadAsync(string accountId, string sessionId, TranscriptSlice slice, CancellationToken cancellationToken) =>
        connections.ReadSnapshotAsync(
            [
                new PostgresStatement("Sessions/Postgres/find.sql").Text(accountId).Text(sessionId),
                new PostgresStatement("Sessions/Postgres/read_slice.sql").Text(accountId).Text(sessionId).Number(slice.Tail).Number(slice.Since)
                    .Number(SessionPages.MaxEntries).Number(SessionPages.MaxBytes),
            ],
            async (rows, cancellation) =>
            {
                if (await rows.ReadOneAsync(static row => ReadRecord(row, first: 0), cancellation) is not { } session)
                {
                    return null;
                }

                await rows.NextResultAsync(cancellation);
                return new SessionPage(session, SessionPages.FirstOf(slice, session.TranscriptTotal), await rows.ReadAllAsync(PostgresTranscript.ReadEntry, cancellation));
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<SessionList> ListAsync(string accountId, SessionFilter filter, CancellationToken cancellationToken)
    {
        var (before, beforeId) = SessionPages.PlaceOf(filter);
        var statement = new PostgresStatement(filter.Status is null ? "Sessions/Postgres/list.sql" : "Sessions/Postgres/list_by_status.sql")
            .Text(accountId)
            .Number(before)
            .Text(beforeId)
            .Text(filter.Source)
            .Text(filter.Harness)
            .Text(filter.Name?.ToLowerInvariant())
            .Number(filter.Limit + 1)
            .Text(filter.Provider)
            .Number(SessionPages.EarliestOf(filter));
        return connections.ReadAsync(
            filter.Status is { } status ? statement.Number((long)status) : statement,
            async (rows, cancellation) =>
                SessionPages.ListOf(await rows.ReadAllAsync(static row => ReadRecord(row, first: 0), cancellation), filter.Limit),
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task CommitAsync(SessionChange change, CancellationToken cancellationToken)
    {
        var documents = search.Value.Enabled ? SearchDocument.Of(change.Next, change.Entries) : [];
        return pipeline.CommitAsync(new PostgresSessionChange(change, documents, time.GetUtcNow()), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<long?> FindAppendAsync(string accountId, string sessionId, Guid appendId, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Sessions/Postgres/find_append.sql").Text(accountId).Text(sessionId).Id(appendId).Number(ISessionStore.FoundAppendEntries),
        static (rows, cancellation) => rows.ReadOneAsync<long?>(static row => row.GetInt64(0), cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public Task<SessionEventPage?> ReadEventsAsync(string accountId, string sessionId, long from, CancellationToken cancellationToken) =>
        connections.ReadSnapshotAsync(
            queries => PostgresSessionEvents.ReadAsync(queries, accountId, sessionId, from, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<ChangedSessions> ListChangedAsync(string accountId, long after, int limit, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Sessions/Postgres/list_changed.sql").Text(accountId).Number(after).Number(limit),
        static async (rows, cancellation) =>
        {
            var head = 0L;
            var sessions = ImmutableArray.CreateBuilder<ChangedSession>();
            while (await rows.ReadAsync(cancellation))
            {
                head = rows.GetInt64(0);
                if (rows.NumberOrNull(24) is { } change)
                {
                    sessions.Add(new ChangedSession(change, ReadRecord(rows, first: 1)));
                }
            }

            return new ChangedSessions(head, sessions.ToImmutable());
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task PurgeAsync(string accountId, string sessionId, RecordedOperation? operation, CancellationToken cancellationToken) =>
        purge.RunAsync(accountId, sessionId, operation, cancellationToken);

    /// <inheritdoc/>
    public Task ResumePurgesAsync(CancellationToken cancellationToken) => purge.ResumeAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsBeingErasedAsync(string sessionId, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Sessions/Postgres/find_purge.sql").Text(sessionId),
        static (rows, cancellation) => rows.ReadAsync(cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken) => FindAsync(accountId: "", sessionId: "", cancellationToken);

    /// <inheritdoc/>
    public Task<bool> HasSandboxAsync(string sandboxId, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Sessions/Postgres/find_sandbox.sql").Text(sandboxId),
        static (rows, cancellation) => rows.ReadAsync(cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<ImmutableArray<BusySandbox>> ListBusyAsync(CancellationToken cancellationToken)
    {
        var busy = await connections.ReadAsync(
            new PostgresStatement("Sessions/Postgres/list_busy.sql"),
            static (rows, cancellation) => rows.ReadAllAsync(static row => new BusySandbox(row.Text(0), row.Text(1), row.Text(2)), cancellation),
            cancellationToken);
        return [.. busy.Distinct()];
    }

    /// <summary>Reads the columns that every statement here selects, in their order.</summary>
    /// <param name="rows">The row.</param>
    /// <param name="first">The first of these columns.</param>
    private static SessionRecord ReadRecord(NpgsqlDataReader rows, int first) => new(
        SessionId: rows.Text(first),
        AccountId: rows.Text(first + 1),
        SessionName: rows.Text(first + 2),
        Status: (SessionStatus)rows.GetInt16(first + 3),
        EndReason: rows.TextOrNull(first + 4),
        SessionType: rows.TextOrNull(first + 5),
        Harness: rows.TextOrNull(first + 6),
        Provider: rows.Text(first + 7),
        ComputeId: rows.TextOrNull(first + 8),
        SandboxId: rows.TextOrNull(first + 9),
        Task: rows.TextOrNull(first + 10),
        Workload: rows.TextOrNull(first + 11),
        Requirements: rows.TextOrNull(first + 12),
        Metadata: rows.TextOrNull(first + 13),
        Metrics: new(rows.NumberOrNull(first + 14), rows.GetInt64(first + 15), rows.GetInt64(first + 16)),
        ParentSessionId: rows.TextOrNull(first + 17),
        PreviousSessionId: rows.TextOrNull(first + 18),
        CreatedAt: UnixMicroseconds.To(rows.GetInt64(first + 19)),
        UpdatedAt: UnixMicroseconds.To(rows.GetInt64(first + 20)),
        TranscriptTotal: rows.GetInt64(first + 21),
        Version: rows.GetInt64(first + 22));
}
