using System.Globalization;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Sessions;
using Npgsql;

namespace Cerver.Grains.Search.Postgres;

/// <summary>Searches in PostgreSQL.</summary>
internal sealed class PostgresSearchStore(PostgresConnections connections) : ISearchStore
{
    /// <inheritdoc/>
    public Task<T> SearchAsync<T>(SearchScope scope, Func<ISearchReader, Task<T>> search, CancellationToken cancellationToken) =>
        connections.ReadSnapshotAsync(
            async queries =>
            {
                long end;
                await using (var rows = await queries.RunAsync(
                    cancellationToken, Begin((int)SearchCriteria.LongestStep.TotalMilliseconds), new PostgresStatement("Search/Postgres/end.sql")))
                {
                    await rows.NextResultAsync(cancellationToken);
                    end = await rows.ReadOneAsync(static row => row.GetInt64(0), cancellationToken);
                }

                return await search(new Reader(queries, scope, end, cancellationToken));
            },
            cancellationToken);

    /// <summary>What must come before the index is read in a transaction.</summary>
    /// <param name="milliseconds">How long a statement of it may take.</param>
    public static PostgresStatement Begin(int milliseconds) =>
        new PostgresStatement("Search/Postgres/begin.sql").Text(milliseconds.ToString(CultureInfo.InvariantCulture));

    private sealed class Reader(PostgresQueries queries, SearchScope scope, long end, CancellationToken cancellationToken) : ISearchReader
    {
        private readonly string _prefix = SearchMarks.PrefixOf(scope.AccountId);
        private readonly ImmutableArray<IReadOnlyList<string>> _marks = SearchCriteria.MarksOf(scope.Request);

        public long End => end;

        public async Task<IReadOnlyList<SearchCandidate>> FindAsync(SearchQuery query, long from, long to, int limit)
        {
            var request = scope.Request;
            var blocks = SearchMarks.OfArrivals(from / SearchMarks.BlockEntries, (to - 1) / SearchMarks.BlockEntries);
            var statement = new PostgresStatement("Search/Postgres/find.sql")
                .Text(scope.AccountId)
                .Text(TsQuery.OfWords(query, _prefix))
                .Number(from)
                .Number(to)
                .Number(request.Since is { } since ? UnixMicroseconds.From(since) : null)
                .Number(request.Until is { } until ? UnixMicroseconds.From(until) : null)
                .Text(request.SessionId)
                .Text(request.Harness)
                .Text(request.Source)
                .Number(limit)
                .Text(TsQuery.OfMarks([.. _marks, blocks]));
            try
            {
                await using var rows = await queries.RunAsync(cancellationToken, statement);
                return await rows.ReadAllAsync(
                    static row => new SearchCandidate(
                        row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), (EntryRole)row.GetInt16(4), row.GetInt32(5)),
                    cancellationToken);
            }
            catch (PostgresException canceled) when (canceled.SqlState == PostgresErrorCodes.QueryCanceled && !cancellationToken.IsCancellationRequested)
            {
                throw SearchCriteria.TooSlow();
            }
        }

        public async Task<IReadOnlyList<FoundEntry>> ReadAsync(IReadOnlyList<SearchCandidate> candidates, int maxCharacters)
        {
            var statement = new PostgresStatement("Search/Postgres/read.sql")
                .Text(scope.AccountId)
                .Texts(candidates.Select(static candidate => candidate.SessionId))
                .Numbers(candidates.Select(static candidate => candidate.Position))
                .Number(maxCharacters);
            await using var rows = await queries.RunAsync(cancellationToken, statement);
            return await rows.ReadAllAsync(
                static row => new FoundEntry(
                    row.Text(0),
                    row.Text(2),
                    row.GetInt64(1),
                    new TranscriptEntry(
                        UnixMicroseconds.To(row.GetInt64(3)), (EntryRole)row.GetInt16(4), row.Text(5), row.TextOrNull(6), ToolName: row.TextOrNull(7), ToolInput: row.TextOrNull(8))),
                cancellationToken);
        }
    }
}
