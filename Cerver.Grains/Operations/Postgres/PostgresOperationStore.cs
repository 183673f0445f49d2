using System.Runtime.InteropServices;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;

namespace Cerver.Grains.Operations.Postgres;

/// <summary>Operations in PostgreSQL.</summary>
internal sealed class PostgresOperationStore(PostgresConnections connections, TimeProvider time) : IOperationStore
{
    /// <inheritdoc/>
    public Task<RecordedOperation?> FindAsync(string accountId, string key, CancellationToken cancellationToken) => connections.ReadAsync(
        new PostgresStatement("Operations/Postgres/find.sql").Text(accountId).Text(key).Number(Expired()),
        (rows, cancellation) => rows.ReadOneAsync(
            row => new RecordedOperation(key, ImmutableCollectionsMarshal.AsImmutableArray(row.GetFieldValue<byte[]>(0)), row.Text(1)), cancellation),
        cancellationToken);

    /// <inheritdoc/>
    public async Task RemoveOldAsync(CancellationToken cancellationToken)
    {
        var expired = Expired();
        long removed = IOperationStore.RemovedAtOnce;
        while (removed == IOperationStore.RemovedAtOnce)
        {
            var statement = new PostgresStatement("Operations/Postgres/remove_old.sql").Number(expired).Number(IOperationStore.RemovedAtOnce);
            removed = await connections.WriteAsync(cancellationToken, statement.ToCommand());
        }
    }

    private long Expired() => UnixMicroseconds.From(time.GetUtcNow() - IOperationStore.Lifetime);
}
