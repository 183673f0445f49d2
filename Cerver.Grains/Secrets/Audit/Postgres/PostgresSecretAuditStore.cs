using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Secrets;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Cerver.Grains.Secrets.Audit.Postgres;

/// <summary>Accesses in PostgreSQL.</summary>
internal sealed class PostgresSecretAuditStore(PostgresConnections connections, IOptions<SecretAuditOptions> options, TimeProvider time) : ISecretAuditStore
{
    /// <inheritdoc/>
    public Task RecordAsync(string accountId, ImmutableArray<SecretAccess> accesses, CancellationToken cancellationToken) => connections.WriteAsync(
        cancellationToken,
        [
            .. accesses.Select(access => new PostgresStatement("Secrets/Audit/Postgres/insert.sql")
                .Text(accountId)
                .Number(UnixMicroseconds.From(access.At))
                .Text(access.Key)
                .Text(access.SessionId)
                .Text(access.RunId)
                .Text(access.Name)
                .Text(access.Source)
                .Number((long)access.Outcome)
                .ToCommand()),
        ]);

    /// <inheritdoc/>
    public async Task<SecretAccessPage> ListAsync(string accountId, SecretAccessFilter filter, CancellationToken cancellationToken)
    {
        var (at, id) = SecretAccessPages.PlaceOf(filter);
        var statement = new PostgresStatement($"Secrets/Audit/Postgres/{SecretAccessPages.StatementOf(filter)}")
            .Text(accountId)
            .Number(at)
            .Number(id)
            .Number(SecretAccessPages.EarliestOf(filter))
            .Number(filter.Limit + 1);
        var narrowed = filter switch
        {
            { SessionId: { } sessionId } => statement.Text(filter.Name).Text(sessionId),
            { Name: { } name } => statement.Text(name),
            _ => statement,
        };
        var found = await connections.ReadAsync(
            narrowed, static (rows, cancellation) => rows.ReadAllAsync(static row => (row.GetInt64(0), ReadAccess(row)), cancellation), cancellationToken);
        return SecretAccessPages.PageOf(found, filter.Limit);
    }

    /// <inheritdoc/>
    public async Task RemoveOldAsync(CancellationToken cancellationToken)
    {
        var expired = UnixMicroseconds.From(time.GetUtcNow() - options.Value.Retention);
        long removed = ISecretAuditStore.RemovedAtOnce;
        while (removed == ISecretAuditStore.RemovedAtOnce)
        {
            var statement = new PostgresStatement("Secrets/Audit/Postgres/remove_old.sql").Number(expired).Number(ISecretAuditStore.RemovedAtOnce);
            removed = await connections.WriteAsync(cancellationToken, statement.ToCommand());
        }
    }

    private static SecretAccess ReadAccess(NpgsqlDataReader row) => new(
        UnixMicroseconds.To(row.GetInt64(1)),
        row.Text(2),
        row.TextOrNull(3),
        row.TextOrNull(4),
        row.Text(5),
        row.TextOrNull(6),
        (SecretOutcome)row.GetInt64(7));
}
