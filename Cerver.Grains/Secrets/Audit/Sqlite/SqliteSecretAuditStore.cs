using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Secrets;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Audit.Sqlite;

/// <summary>Accesses in SQLite.</summary>
internal sealed class SqliteSecretAuditStore(
    SqliteReaders readers, SqliteCommitPipeline pipeline, IOptions<SecretAuditOptions> options, TimeProvider time) : ISecretAuditStore
{
    private const int AccessBytes = 256;

    /// <inheritdoc/>
    public Task RecordAsync(string accountId, ImmutableArray<SecretAccess> accesses, CancellationToken cancellationToken) => pipeline.CommitAsync(
        statements =>
        {
            foreach (var access in accesses)
            {
                statements.Execute(
                    "Secrets/Audit/Sqlite/insert.sql",
                    accountId,
                    UnixMicroseconds.From(access.At),
                    access.Key,
                    access.SessionId,
                    access.RunId,
                    access.Name,
                    access.Source,
                    (long)access.Outcome);
            }
        },
        AccessBytes * accesses.Length,
        cancellationToken);

    /// <inheritdoc/>
    public Task<SecretAccessPage> ListAsync(string accountId, SecretAccessFilter filter, CancellationToken cancellationToken) => readers.ReadAsync(statements =>
    {
        var (at, id) = SecretAccessPages.PlaceOf(filter);
        using var rows = statements.Query(
            $"Secrets/Audit/Sqlite/{SecretAccessPages.StatementOf(filter)}",
            accountId,
            at,
            id,
            SecretAccessPages.EarliestOf(filter),
            filter.Limit + 1,
            filter.Name,
            filter.SessionId);
        var found = new List<(long, SecretAccess)>();
        while (rows.Read())
        {
            found.Add((rows.GetInt64(0), ReadAccess(rows)));
        }

        return SecretAccessPages.PageOf(found, filter.Limit);
    });

    /// <inheritdoc/>
    public async Task RemoveOldAsync(CancellationToken cancellationToken)
    {
        var expired = UnixMicroseconds.From(time.GetUtcNow() - options.Value.Retention);
        var removed = ISecretAuditStore.RemovedAtOnce;
        while (removed == ISecretAuditStore.RemovedAtOnce)
        {
            await pipeline.CommitAsync(
                statements => removed = statements.Execute("Secrets/Audit/Sqlite/remove_old.sql", expired, ISecretAuditStore.RemovedAtOnce), bytes: 0, cancellationToken);
        }
    }

    private static SecretAccess ReadAccess(SqliteDataReader rows) => new(
        UnixMicroseconds.To(rows.GetInt64(1)),
        rows.GetString(2),
        rows.IsDBNull(3) ? null : rows.GetString(3),
        rows.IsDBNull(4) ? null : rows.GetString(4),
        rows.GetString(5),
        rows.IsDBNull(6) ? null : rows.GetString(6),
        (SecretOutcome)rows.GetInt64(7));
}
