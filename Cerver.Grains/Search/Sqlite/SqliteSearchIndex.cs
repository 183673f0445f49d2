using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Sessions;

namespace Cerver.Grains.Search.Sqlite;

/// <summary>Writes the index in SQLite. Only the writer's thread comes here.</summary>
internal sealed class SqliteSearchIndex
{
    /// <summary>Of how many characters of words the index is told at once when it is to forget them.</summary>
    private const int RemovedCharacters = 4 * 1024 * 1024;

    private long? _next;

    /// <summary>Adds entries.</summary>
    /// <param name="statements">The transaction.</param>
    /// <param name="accountId">Whose they are.</param>
    /// <param name="sessionId">The session they are in.</param>
    /// <param name="documents">What the index is to know of them.</param>
    public void Insert(SqliteStatements statements, string accountId, string sessionId, ImmutableArray<SearchDocument> documents)
    {
        _next ??= statements.QueryNumber("Search/Sqlite/end.sql");
        foreach (var document in documents)
        {
            var number = _next.Value;
            _next++;
            statements.Execute(
                "Search/Sqlite/insert_entry.sql", number, accountId, sessionId, document.Position, document.At, (long)document.Role, (long)document.Length);
            Execute(statements, "Search/Sqlite/insert_words.sql", number, document);
        }
    }

    /// <summary>Takes entries of a session out of the index, before they are erased themselves.</summary>
    /// <returns>How many there were; as many as were asked for when there may be more.</returns>
    public static int Remove(SqliteStatements statements, string sessionId, int limit)
    {
        var entries = new List<(long Number, SearchDocument? Document)>();
        var characters = 0;
        using (var rows = statements.Query("Search/Sqlite/list_session.sql", sessionId, $"marks : \"{SearchMarks.OfSession(sessionId)}\"", limit))
        {
            while (characters < RemovedCharacters && rows.Read())
            {
                var entry = new TranscriptEntry(
                    UnixMicroseconds.To(rows.GetInt64(3)), (EntryRole)rows.GetInt64(4), rows.GetString(5), rows.TextOrNull(6), ToolName: rows.TextOrNull(7), ToolInput: rows.TextOrNull(8));
                var document = SearchDocument.Of(rows.GetString(1), sessionId, rows.GetInt64(2), [entry]).FirstOrDefault();
                entries.Add((rows.GetInt64(0), document));
                characters += document?.Words.Length ?? 0;
            }
        }

        foreach (var (number, document) in entries)
        {
            if (document is not null)
            {
                Execute(statements, "Search/Sqlite/remove_words.sql", number, document);
            }

            statements.Execute("Search/Sqlite/remove_entry.sql", number);
        }

        return characters < RemovedCharacters ? entries.Count : limit;
    }

    private static void Execute(SqliteStatements statements, string path, long number, SearchDocument document) =>
        statements.Execute(path, number, document.Words, document.Wholes, document.Marks);
}
