using System.Runtime.InteropServices;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;

namespace Cerver.Grains.Operations.Sqlite;

/// <summary>Operations in SQLite.</summary>
internal sealed class SqliteOperationStore(SqliteReaders readers, SqliteCommitPipeline pipeline, TimeProvider time) : IOperationStore
{
    /// <inheritdoc/>
    public Task<RecordedOperation?> FindAsync(string accountId, string key, CancellationToken cancellationToken) =>
        readers.ReadAsync(statements =>
        {
            using var rows = statements.Query("Operations/Sqlite/find.sql", accountId, key, Expired(time.GetUtcNow()));
            return rows.Read()
                ? new RecordedOperation(key, ImmutableCollectionsMarshal.AsImmutableArray(rows.GetFieldValue<byte[]>(0)), rows.GetString(1))
                : null;
        });

    /// <inheritdoc/>
    public async Task RemoveOldAsync(CancellationToken cancellationToken)
    {
        var expired = Expired(time.GetUtcNow());
        var removed = IOperationStore.RemovedAtOnce;
        while (removed == IOperationStore.RemovedAtOnce)
        {
            await pipeline.CommitAsync(
                statements => removed = statements.Execute("Operations/Sqlite/remove_old.sql", expired, IOperationStore.RemovedAtOnce), bytes: 0, cancellationToken);
        }
    }

    /// <summary>Records an operation, as a part of its effect.</summary>
    public static void Insert(SqliteStatements statements, string accountId, string sessionId, RecordedOperation operation, DateTimeOffset now)
    {
        statements.Execute("Operations/Sqlite/remove_expired.sql", accountId, operation.Key, Expired(now));
        statements.Execute(
            "Operations/Sqlite/insert.sql",
            accountId,
            operation.Key,
            sessionId,
            ImmutableCollectionsMarshal.AsArray(operation.RequestHash),
            operation.Result,
            UnixMicroseconds.From(now));
    }

    /// <summary>Says what an operation came to that was begun before, as a part of the change that completes it.</summary>
    public static void Complete(SqliteStatements statements, string accountId, RecordedOperation operation) =>
        statements.Execute("Operations/Sqlite/complete.sql", accountId, operation.Key, operation.Result);

    /// <summary>Forgets an operation, as a part of what undoes its effect.</summary>
    public static void Forget(SqliteStatements statements, string accountId, string key) =>
        statements.Execute("Operations/Sqlite/forget.sql", accountId, key);

    private static long Expired(DateTimeOffset now) => UnixMicroseconds.From(now - IOperationStore.Lifetime);
}
