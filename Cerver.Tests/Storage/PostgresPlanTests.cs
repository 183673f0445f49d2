using System.Globalization;
using Cerver.Grains.Operations;
using Cerver.Grains.Sessions;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Tests.Storage;

/// <summary>What the server knows of young tables when it plans a statement must not matter when they have grown.</summary>
public sealed class PostgresPlanTests
{
    private const int Grown = 20_000;

    [Fact]
    public async Task Statements_that_were_planned_over_tiny_tables_read_no_more_rows_when_the_tables_have_grown()
    {
        await using var stores = new PostgresStores(await PostgresTestDatabase.CreateAsync(), TimeProvider.System);
        await UseAsync(stores, "before");
        await stores.ScalarAsync("analyze");
        await UseAsync(stores, "small");
        await GrowAsync(stores);
        var before = await CountReadAsync(stores);

        await UseAsync(stores, "grown");

        // What a connection has read is counted when it is closed.
        stores.Database.Source.Clear();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Dictionary<string, long> read;
        do
        {
            read = (await CountReadAsync(stores)).ToDictionary(count => count.Key, count => count.Value - before[count.Key]);
            limit.Token.ThrowIfCancellationRequested();
        }
        while (read["session_pkey"] == 0);

        Assert.DoesNotContain(read, count => count.Value > Grown / 4);
    }

    /// <summary>Everything that writes, and what is read to write it.</summary>
    private static async Task UseAsync(PostgresStores stores, string word)
    {
        for (var i = 0; i < 3; i++)
        {
            var record = await stores.NewAsync($"{word} {i}");
            record = await stores.AddAsync(record, word, round: 1);
            var now = record.UpdatedAt;
            for (var append = 0; append < 3; append++)
            {
                var change = SessionChange.From(record, now, rewrites: false, [GrainCluster.Text("a") with { At = now }]) with
                {
                    Recorded = new RecordedOperation($"{record.SessionId} append {append}", [1], "1"),
                    Forgotten = $"{record.SessionId} append {append - 1}",
                };
                await stores.Sessions.CommitAsync(change, CancellationToken.None);
                record = change.Next;
            }

            await stores.Sessions.FindAsync(TestStores.Account, record.SessionId, CancellationToken.None);
            await stores.Sessions.ReadAsync(TestStores.Account, record.SessionId, new TranscriptSlice(Tail: 2), CancellationToken.None);
            await stores.Sessions.ReadEventsAsync(TestStores.Account, record.SessionId, from: 0, CancellationToken.None);
            await stores.Sessions.ListAsync(TestStores.Account, new SessionFilter(5), CancellationToken.None);
            await stores.Sessions.ListAsync(TestStores.Account, new SessionFilter(5, Status: SessionStatus.Idle), CancellationToken.None);
            await stores.Sessions.ListChangedAsync(TestStores.Account, after: 0, limit: 5, CancellationToken.None);
            await stores.Sessions.HasSandboxAsync("sandbox", CancellationToken.None);
            await stores.Sessions.ListBusyAsync(CancellationToken.None);
            await stores.Operations.FindAsync(TestStores.Account, $"{record.SessionId} 1", CancellationToken.None);
            var run = Assert.Single(await stores.Runs.ListAsync(TestStores.Account, record.SessionId, before: null, limit: 5, CancellationToken.None));
            await stores.Runs.FindAsync(TestStores.Account, record.SessionId, run.RunId, CancellationToken.None);
            await stores.Runs.ListGoingAsync(TestStores.Account, record.SessionId, CancellationToken.None);
            await stores.Runs.ReadOutputAsync(TestStores.Account, run.RunId, after: 0, CancellationToken.None);
            await stores.Sessions.PurgeAsync(TestStores.Account, record.SessionId, operation: null, CancellationToken.None);
        }
    }

    private static async Task GrowAsync(PostgresStores stores) => await stores.ScalarAsync(string.Create(CultureInfo.InvariantCulture, $"""
        insert into session (session_id, account_id, session_name, search_name, status, provider, run_count, run_time_ms, created_at, updated_at, transcript_total,
                             event_total, change, version)
        select 'grown ' || i, '{TestStores.Account}', '', '', i % 2 * 2, 'none', 1, 0, i, i::bigint * 1000000, 1, 1, i::bigint << 16, 1 from generate_series(1, {Grown}) i;
        insert into transcript_entry (session_id, position, at, role, kind) select 'grown ' || i, 0, i, 1, 'text' from generate_series(1, {Grown}) i;
        insert into session_event (session_id, position, length, entries, kind, status) select 'grown ' || i, 1, 1, 1, 1, 0 from generate_series(1, {Grown}) i;
        insert into run (run_id, session_id, account_id, sandbox_id, runtime, code, status, truncated, output_head, started_at, ended_at)
        select 'run ' || i, 'grown ' || i, '{TestStores.Account}', '', 1, '', 1, false, 1, i, i from generate_series(1, {Grown}) i;
        insert into run_output (run_id, sequence, kind, data) select 'run ' || i, 1, 1, '' from generate_series(1, {Grown}) i;
        insert into idempotency (account_id, key, session_id, request_hash, result, created_at)
        select '{TestStores.Account}', 'key ' || i, 'grown ' || i, '', '', (extract(epoch from now()) * 1000000)::bigint from generate_series(1, {Grown}) i;
        """));

    /// <summary>How many rows were read so far through each index, and from each table as a whole.</summary>
    private static async Task<Dictionary<string, long>> CountReadAsync(PostgresStores stores)
    {
        await using var command = stores.Database.Source.CreateCommand("""
            select indexrelname::text, idx_tup_read from pg_stat_user_indexes
            union all
            select relname::text, coalesce(seq_tup_read, 0) from pg_stat_user_tables
            """);
        await using var rows = await command.ExecuteReaderAsync();
        var counts = new Dictionary<string, long>();
        while (await rows.ReadAsync())
        {
            counts.Add(rows.GetString(0), rows.GetInt64(1));
        }

        return counts;
    }
}
