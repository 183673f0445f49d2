using Cerver.Grains.Sessions;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage.Sqlite;

namespace Cerver.Grains.Search.Sqlite;

/// <summary>What is not in the index of SQLite.</summary>
internal sealed class SqliteSearchBacklog(SqliteReaders readers, SqliteCommitPipeline pipeline, SqliteSearchIndex index) : ISearchBacklogStore
{
    /// <inheritdoc/>
    public Task<SearchBacklogPart?> ReadNextAsync(CancellationToken cancellationToken) => readers.ReadSnapshotAsync(static statements =>
    {
        string sessionId, accountId;
        long first, total;
        using (var rows = statements.Query("Search/Sqlite/next_backlog.sql"))
        {
            if (!rows.Read())
            {
                return null;
            }

            (sessionId, accountId, first, total) = (rows.GetString(0), rows.GetString(1), rows.GetInt64(2), rows.GetInt64(3));
        }

        var limit = Math.Min(SearchBacklogPart.MaxEntries, total - first);
        return new SearchBacklogPart(accountId, sessionId, first, SqliteTranscript.Read(statements, sessionId, first, limit, SessionPages.MaxBytes));
    });

    /// <inheritdoc/>
    public Task IndexAsync(SearchBacklogPart part, ImmutableArray<SearchDocument> documents, CancellationToken cancellationToken) => pipeline.CommitAsync(
        statements =>
        {
            if (statements.Execute("Search/Sqlite/move_backlog.sql", part.SessionId, part.First, part.First + part.Entries.Length) == 1)
            {
                index.Insert(statements, part.AccountId, part.SessionId, documents);
                statements.Execute("Search/Sqlite/end_backlog.sql", part.SessionId, part.Entries.IsEmpty);
            }
        },
        documents.Sum(static document => document.Words.Length),
        cancellationToken);
}
