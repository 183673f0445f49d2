using System.Diagnostics;
using Cerver.Errors;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Runs;
using Microsoft.Data.Sqlite;

namespace Cerver.Grains.Runs.Sqlite;

/// <summary>Runs in SQLite.</summary>
internal sealed class SqliteRunStore(SqliteReaders readers, SqliteCommitPipeline pipeline) : IRunStore
{
    /// <summary>How many times as long as its last commit took output waits, when others waited for that.</summary>
    private const int Courtesy = 3;

    /// <summary>It takes more than the writer: whoever watches takes it too. This comes to 5 MiB/s.</summary>
    private const double MinPauseMs = 25;

    private const double MaxPauseMs = 50;

    /// <inheritdoc/>
    public Task<RunRecord?> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements => Find(statements, "Runs/Sqlite/find.sql", accountId, sessionId, runId));

    /// <inheritdoc/>
    public Task<ImmutableArray<RunRecord>> ListAsync(
        string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements => ReadRecords(statements.Query("Runs/Sqlite/list.sql", accountId, sessionId, before ?? IRunStore.AfterEveryRun, limit)));

    /// <inheritdoc/>
    public Task<ImmutableArray<RunRecord>> ListGoingAsync(string accountId, string sessionId, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements => ReadRecords(statements.Query("Runs/Sqlite/list_going.sql", accountId, sessionId)));

    /// <inheritdoc/>
    public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements =>
        {
            using var rows = statements.Query("Runs/Sqlite/read_output.sql", accountId, runId, after);
            var chunks = ImmutableArray.CreateBuilder<RunChunk>();
            var bytes = 0;
            while (bytes < IRunStore.PageBytes && rows.Read())
            {
                var chunk = ReadChunk(rows);
                chunks.Add(chunk);
                bytes += chunk.Data.Length;
            }

            return chunks.ToImmutable();
        });

    /// <inheritdoc/>
    public async Task AppendOutputAsync(string sessionId, string runId, ImmutableArray<RunChunk> chunks, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var wasInTheWay = await pipeline.CommitOutputAsync(
            statements =>
            {
                EnsureGoing(statements, runId);
                foreach (var chunk in chunks)
                {
                    statements.Execute("Runs/Sqlite/insert_output.sql", runId, chunk.Sequence, (long)chunk.Kind, chunk.Data);
                }

                SqliteSessionEvents.InsertOutput(statements, sessionId, runId, chunks);
            },
            chunks.Sum(chunk => chunk.Data.Length + 64),
            cancellationToken);
        if (wasInTheWay)
        {
            // A program that prints without end leaves the writer, and the processors, to those who write a little each.
            var pause = Math.Clamp(Stopwatch.GetElapsedTime(began).TotalMilliseconds * Courtesy, MinPauseMs, MaxPauseMs);
            await Task.Delay(TimeSpan.FromMilliseconds(pause), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>One run of a session without its code, which may be long, or null when there is none.</summary>
    public static RunRecord? FindEnd(SqliteStatements statements, string accountId, string sessionId, string runId) =>
        Find(statements, "Runs/Sqlite/find_end.sql", accountId, sessionId, runId);

    /// <summary>Reads a piece of output: its sequence number, its kind and its bytes.</summary>
    public static RunChunk ReadChunk(SqliteDataReader rows) => new(rows.GetInt64(0), (OutputKind)rows.GetInt64(1), rows.GetFieldValue<byte[]>(2));

    /// <summary>Adds a run, as a part of a session's change.</summary>
    public static void Insert(SqliteStatements statements, string accountId, RunRecord run) => statements.Execute(
        "Runs/Sqlite/insert.sql",
        run.RunId,
        run.SessionId,
        accountId,
        run.SandboxId,
        (long)run.Runtime,
        run.Code,
        UnixMicroseconds.From(run.StartedAt));

    /// <summary>Ends a run, as a part of a session's change.</summary>
    public static void End(SqliteStatements statements, RunEnd ended) => statements.Execute(
        "Runs/Sqlite/end.sql",
        ended.RunId,
        (long)ended.Status,
        ended.ExitCode,
        ended.Truncated,
        ended.OutputHead,
        UnixMicroseconds.From(ended.EndedAt));

    /// <summary>Nothing comes after the end of a run, not even from a sandbox that was given up.</summary>
    private static void EnsureGoing(SqliteStatements statements, string runId)
    {
        using var rows = statements.Query("Runs/Sqlite/find_going.sql", runId);
        if (!rows.Read())
        {
            throw new CerverException(CerverError.Conflict, "The run is over.");
        }
    }

    private static RunRecord? Find(SqliteStatements statements, string path, string accountId, string sessionId, string runId)
    {
        using var rows = statements.Query(path, accountId, sessionId, runId);
        return rows.Read() ? ReadRecord(rows) : null;
    }

    private static ImmutableArray<RunRecord> ReadRecords(SqliteDataReader rows)
    {
        using (rows)
        {
            var runs = ImmutableArray.CreateBuilder<RunRecord>();
            while (rows.Read())
            {
                runs.Add(ReadRecord(rows));
            }

            return runs.ToImmutable();
        }
    }

    /// <summary>Reads the columns that every statement here selects, in their order.</summary>
    private static RunRecord ReadRecord(SqliteDataReader rows) => new(
        RunId: rows.GetString(0),
        SessionId: rows.GetString(1),
        SandboxId: rows.GetString(2),
        Runtime: (SandboxRuntime)rows.GetInt64(3),
        Code: rows.GetString(4),
        Status: (RunStatus)rows.GetInt64(5),
        ExitCode: rows.IsDBNull(6) ? null : rows.GetInt32(6),
        Truncated: rows.GetInt64(7) != 0,
        OutputHead: rows.GetInt64(8),
        StartedAt: UnixMicroseconds.To(rows.GetInt64(9)),
        EndedAt: rows.IsDBNull(10) ? null : UnixMicroseconds.To(rows.GetInt64(10)));
}
