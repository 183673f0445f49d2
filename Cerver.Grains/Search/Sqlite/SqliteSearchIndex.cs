using System.Text;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Sessions;

namespace Cerver.Grains.Search.Sqlite;

/// <summary>Writes the index in SQLite. Only the writer's thread comes here.</summary>
internal sealed class SqliteSearchIndex
{
    private long? _next;

    /// <summary>Adds entries.</summary>
    /// <param name="statements">The transaction.</param>
    /// <param name="accountId">Whose they are.</param>
    /// <param name="sessionId">The session they are in.</param>
    /// <param name="documents">What the index is to know of them.</param>
    public void Insert(SqliteStatements statements, string accountId, string sessionId, ImmutableArray<SearchDocument> documents)
    {
        var prefix = SearchMarks.PrefixOf(accountId);
        _next ??= statements.QueryNumber("Search/Sqlite/end.sql");
        foreach (var document in documents)
        {
            var number = _next.Value;
            _next++;
            statements.Execute(
                "Search/Sqlite/insert_entry.sql", number, accountId, sessionId, document.Position, document.At, (long)document.Role, (long)document.Length);
            Execute(statements, "Search/Sqlite/insert_words.sql", number, document, prefix);
        }
    }

    /// <summary>Takes entries of a session out of the index, before they are erased themselves.</summary>
    /// <returns>How many there were, at most so many as were asked for.</returns>
    public static int Remove(SqliteStatements statements, string sessionId, int limit)
    {
        var entries = new List<(long Number, string AccountId, SearchDocument? Document)>();
        using (var rows = statements.Query("Search/Sqlite/list_session.sql", sessionId, $"marks : \"{SearchMarks.OfSession(sessionId)}\"", limit))
        {
            while (rows.Read())
            {
                var entry = new TranscriptEntry(
                    UnixMicroseconds.To(rows.GetInt64(3)), (EntryRole)rows.GetInt64(4), rows.GetString(5), rows.TextOrNull(6), ToolName: rows.TextOrNull(7), ToolInput: rows.TextOrNull(8));
                entries.Add((rows.GetInt64(0), rows.GetString(1), SearchDocument.Of(sessionId, rows.GetInt64(2), entry)));
            }
        }

        foreach (var (number, accountId, document) in entries)
        {
            if (document is not null)
            {
                Execute(statements, "Search/Sqlite/remove_words.sql", number, document, SearchMarks.PrefixOf(accountId));
            }

            statements.Execute("Search/Sqlite/remove_entry.sql", number);
        }

        return entries.Count;
    }

    private static void Execute(SqliteStatements statements, string path, long number, SearchDocument document, string prefix) => statements.Execute(
        path, number, Join(document, prefix, wholes: false), Join(document, prefix, wholes: true), string.Join(' ', document.Marks));

    private static string Join(SearchDocument document, string prefix, bool wholes)
    {
        var text = new StringBuilder(wholes ? 0 : document.Words.Count * 12);
        foreach (var word in document.Words)
        {
            if (word.IsWhole == wholes)
            {
                text.Append(prefix).Append(word.Text).Append(' ');
            }
        }

        return text.ToString();
    }
}
