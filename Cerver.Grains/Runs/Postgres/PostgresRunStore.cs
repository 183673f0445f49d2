using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Runs;
using Npgsql;

namespace Cerver.Grains.Runs.Postgres;

/// <summary>Runs in PostgreSQL.</summary>
internal sealed class PostgresRunStore(PostgresConnections connections, PostgresCommitPipeline pipeline) : IRunStore
{
    /// <inheritdoc/>
    public Task<RunRecord?> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Runs/Postgres/find.sql").Text(accountId).Text(sessionId).Text(runId),
        static (rows, cancellation) => rows.ReadOneAsync(ReadRecord, cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public Task<ImmutableArray<RunRecord>> ListAsync(
        string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Runs/Postgres/list.sql").Text(accountId).Text(sessionId).Text(before ?? IRunStore.AfterEveryRun).Number(limit),
        static (rows, cancellation) => rows.ReadAllAsync(ReadRecord, cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public Task<ImmutableArray<RunRecord>> ListGoingAsync(string accountId, string sessionId, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Runs/Postgres/list_going.sql").Text(accountId).Text(sessionId),
        static (rows, cancellation) => rows.ReadAllAsync(ReadRecord, cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Runs/Postgres/read_output.sql").Text(accountId).Text(runId).Number(after).Number(IRunStore.PageBytes),
        static (rows, cancellation) => rows.ReadAllAsync(static row => ReadChunk(row, first: 0), cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public Task AppendOutputAsync(string sessionId, string runId, ImmutableArray<RunChunk> chunks, CancellationToken cancellationToken) =>
        pipeline.CommitAsync(new PostgresOutput(sessionId, runId, chunks), cancellationToken);

    /// <summary>Reads a piece of output: its sequence number, its kind and its bytes.</summary>
    /// <param name="rows">The row.</param>
    /// <param name="first">The first of these columns.</param>
    public static RunChunk ReadChunk(NpgsqlDataReader rows, int first) =>
        new(rows.GetInt64(first), (OutputKind)rows.GetInt16(first + 1), rows.GetFieldValue<byte[]>(first + 2));

    /// <summary>Reads the columns that every statement here selects, in their order.</summary>
    public static RunRecord ReadRecord(NpgsqlDataReader rows) => new(
        RunId: rows.Text(0),
        SessionId: rows.Text(1),
        SandboxId: rows.Text(2),
        Runtime: (SandboxRuntime)rows.GetInt16(3),
        Code: rows.Text(4),
        Status: (RunStatus)rows.GetInt16(5),
        ExitCode: rows.IsDBNull(6) ? null : rows.GetInt32(6),
        Truncated: rows.GetBoolean(7),
        OutputHead: rows.GetInt64(8),
        StartedAt: UnixMicroseconds.To(rows.GetInt64(9)),
        EndedAt: rows.IsDBNull(10) ? null : UnixMicroseconds.To(rows.GetInt64(10)));
}
