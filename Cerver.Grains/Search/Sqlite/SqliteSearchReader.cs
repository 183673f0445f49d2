using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Sessions;
using Microsoft.Data.Sqlite;

namespace Cerver.Grains.Search.Sqlite;

/// <summary>Reads the index in SQLite. Its tasks are complete when they are returned.</summary>
internal sealed class SqliteSearchReader(SqliteStatements statements, SearchScope scope, TimeProvider time) : ISearchReader
{
    private readonly string _prefix = SearchMarks.PrefixOf(scope.AccountId);
    private readonly ImmutableArray<IReadOnlyList<string>> _marks = SearchCriteria.MarksOf(scope.Request);

    /// <inheritdoc/>
    public long End { get; } = statements.QueryNumber("Search/Sqlite/end.sql");

    /// <inheritdoc/>
    public Task<IReadOnlyList<SearchCandidate>> FindAsync(SearchQuery query, long from, long to, int limit) => Task.FromResult<IReadOnlyList<SearchCandidate>>(Find(query, from, to, limit));

    /// <inheritdoc/>
    public Task<IReadOnlyList<FoundEntry>> ReadAsync(IReadOnlyList<SearchCandidate> candidates, int maxCharacters) =>
        Task.FromResult<IReadOnlyList<FoundEntry>>([.. candidates.Select(candidate => Read(candidate, maxCharacters)).OfType<FoundEntry>()]);

    private List<SearchCandidate> Find(SearchQuery query, long from, long to, int limit)
    {
        var request = scope.Request;
        var candidates = new List<SearchCandidate>();
        var began = time.GetTimestamp();
        using var limited = statements.LimitTime(() => time.GetElapsedTime(began) > SearchCriteria.LongestStep);
        try
        {
            using var rows = statements.Query(
                "Search/Sqlite/find.sql",
                scope.AccountId,
                FtsQuery.Write(query, _prefix, _marks),
                from,
                to,
                request.Since is { } since ? UnixMicroseconds.From(since) : null,
                request.Until is { } until ? UnixMicroseconds.From(until) : null,
                request.SessionId,
                request.Harness,
                request.Source,
                limit);
            while (rows.Read())
            {
                candidates.Add(new(rows.GetInt64(0), rows.GetString(1), rows.GetInt64(2), rows.GetInt64(3), (EntryRole)rows.GetInt64(4), rows.GetInt32(5)));
            }
        }
        catch (SqliteException interrupted) when (interrupted.SqliteErrorCode == SQLitePCL.raw.SQLITE_INTERRUPT)
        {
            throw SearchCriteria.TooSlow();
        }

        return candidates;
    }

    private FoundEntry? Read(SearchCandidate candidate, int maxCharacters)
    {
        using var rows = statements.Query("Search/Sqlite/read.sql", scope.AccountId, candidate.SessionId, candidate.Position, maxCharacters);
        if (!rows.Read())
        {
            return null;
        }

        var entry = new TranscriptEntry(
            UnixMicroseconds.To(rows.GetInt64(1)), (EntryRole)rows.GetInt64(2), rows.GetString(3), rows.TextOrNull(4), ToolName: rows.TextOrNull(5), ToolInput: rows.TextOrNull(6));
        return new FoundEntry(candidate.SessionId, rows.GetString(0), candidate.Position, entry);
    }
}
