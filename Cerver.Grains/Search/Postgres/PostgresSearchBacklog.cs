using Cerver.Grains.Sessions;
using Cerver.Grains.Sessions.Postgres;
using Cerver.Grains.Storage.Postgres;

namespace Cerver.Grains.Search.Postgres;

/// <summary>What is not in the index of PostgreSQL.</summary>
internal sealed class PostgresSearchBacklog(PostgresConnections connections) : ISearchBacklogStore
{
    /// <inheritdoc/>
    public async Task<SearchBacklogPart?> ReadNextAsync(CancellationToken cancellationToken)
    {
        var next = await connections.ReadAsync(
            new PostgresStatement("Search/Postgres/next_backlog.sql"),
            static (rows, cancellation) => rows.ReadOneAsync(static row => new Part(row.Text(0), row.Text(1), row.GetInt64(2), row.GetInt64(3)), cancellation),
            cancellationToken);
        if (next is null)
        {
            return null;
        }

        var entries = await connections.ReadAsync(
            new PostgresStatement("Sessions/Postgres/read_slice.sql").Text(next.AccountId).Text(next.SessionId).Number(null).Number(next.First)
                .Number(Math.Min(SearchBacklogPart.MaxEntries, next.Total - next.First)).Number(SessionPages.MaxBytes),
            static (rows, cancellation) => rows.ReadAllAsync(PostgresTranscript.ReadEntry, cancellation),
            cancellationToken);
        return new SearchBacklogPart(next.AccountId, next.SessionId, next.First, entries);
    }

    /// <inheritdoc/>
    public Task IndexAsync(SearchBacklogPart part, ImmutableArray<SearchDocument> documents, CancellationToken cancellationToken)
    {
        var add = new PostgresStatement("Search/Postgres/index_backlog.sql")
            .Text(part.SessionId)
            .Number(part.First)
            .Number(part.First + part.Entries.Length)
            .Text(part.AccountId)
            .Numbers(documents.Select(static document => document.Position))
            .Numbers(documents.Select(static document => document.At))
            .Numbers(documents.Select(static document => (long)document.Role))
            .Numbers(documents.Select(static document => (long)document.Length))
            .Texts(documents.Select(TsVector.Write));
        var end = new PostgresStatement("Search/Postgres/end_backlog.sql").Text(part.SessionId).Number(part.Entries.IsEmpty ? 1 : 0);
        return connections.WriteAsync(cancellationToken, add.ToCommand(), end.ToCommand());
    }

    private sealed record Part(string SessionId, string AccountId, long First, long Total);
}
