using System.Globalization;
using Cerver.Grains.Operations;
using Cerver.Grains.Search;
using Cerver.Grains.Sessions;
using Cerver.Grains.Storage.Postgres;
using Cerver.Runs;
using Cerver.Search;
using Cerver.Secrets;
using Cerver.Sessions;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;

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

    /// <summary>Everything but what is about all that there is.</summary>
    private static async Task UseAsync(PostgresStores stores, string word)
    {
        await UseAsOrleansAsync(stores, word);
        await PostgresSchema.ContinueChangesAsync(stores.Database.Source, CancellationToken.None);
        var connections = new PostgresConnections(stores.Database.Source, NullLogger<PostgresConnections>.Instance);
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
                    AppendId = Guid.NewGuid(),
                };
                await stores.Sessions.CommitAsync(change, CancellationToken.None);
                Assert.NotNull(await stores.Sessions.FindAppendAsync(TestStores.Account, record.SessionId, change.AppendId!.Value, CancellationToken.None));
                record = change.Next;
            }

            var completed = SessionChange.From(record, now, rewrites: false, []) with { Completed = new RecordedOperation($"{record.SessionId} append 2", [1], "2") };
            await stores.Sessions.CommitAsync(completed, CancellationToken.None);
            record = completed.Next;

            await stores.Sessions.FindAsync(TestStores.Account, record.SessionId, CancellationToken.None);
            await stores.Sessions.ReadAsync(TestStores.Account, record.SessionId, new TranscriptSlice(Tail: 2), CancellationToken.None);
            await stores.Sessions.ReadEventsAsync(TestStores.Account, record.SessionId, from: 0, CancellationToken.None);
            await stores.Sessions.ReadEventsAsync(TestStores.Account, "dense", from: 0, CancellationToken.None);
            foreach (var status in (SessionStatus?[])[null, SessionStatus.Idle])
            {
                var filter = new SessionFilter(5, Status: status);
                foreach (var narrower in (SessionFilter[])[filter, filter with { Source = "many" }, filter with { Harness = "many" }, filter with { Name = "many" },
                    filter with { Provider = "none" }, filter with { Since = DateTimeOffset.UnixEpoch.AddSeconds(Grown - 5), Provider = "nobody" },
                    filter with { Until = DateTimeOffset.UnixEpoch.AddSeconds(5), Provider = "nobody" }])
                {
                    await stores.Sessions.ListAsync(TestStores.Account, narrower, CancellationToken.None);
                }
            }

            var access = new SecretAccess(now, "ck_1234…", record.SessionId, RunId: null, word, "env", SecretOutcome.Fetched);
            await stores.Audit.RecordAsync(TestStores.Account, [access, access with { SessionId = null }], CancellationToken.None);
            var accesses = new SecretAccessFilter(5);
            foreach (var narrower in (SecretAccessFilter[])[accesses, accesses with { Since = now }, accesses with { Until = DateTimeOffset.UnixEpoch },
                accesses with { Name = word }, accesses with { Name = "nobody" }, accesses with { Name = "many" }, accesses with { Name = "many", Since = now.AddDays(1) },
                accesses with { SessionId = record.SessionId }, accesses with { SessionId = "nobody" }, accesses with { SessionId = "many" },
                accesses with { SessionId = record.SessionId, Name = "nobody" }])
            {
                var page = await stores.Audit.ListAsync(TestStores.Account, narrower, CancellationToken.None);
                await stores.Audit.ListAsync(TestStores.Account, narrower with { After = page.Next }, CancellationToken.None);
            }

            await stores.Audit.RemoveOldAsync(CancellationToken.None);
            var searcher = new Searcher(stores.Search, TestStores.Searching, TimeProvider.System);
            var request = new SearchRequest(word, Limit: 5);
            foreach (var narrower in (SearchRequest[])[request, request with { SessionId = record.SessionId }, request with { Harness = "many" }, request with { Source = "many" }])
            {
                await searcher.SearchAsync(TestStores.Account, narrower, CancellationToken.None);
            }

            await stores.Sessions.ListChangedAsync(TestStores.Account, after: 0, limit: 5, CancellationToken.None);
            await stores.Sessions.HasSandboxAsync("sandbox", CancellationToken.None);
            await stores.Sessions.ListBusyAsync(CancellationToken.None);
            await connections.ReadAsync(
                new PostgresStatement("Sessions/Postgres/find_free.sql").Texts([record.SessionId, "nobody"]),
                static (rows, cancellation) => rows.ReadAsync(cancellation),
                CancellationToken.None);
            await stores.Operations.FindAsync(TestStores.Account, $"{record.SessionId} 1", CancellationToken.None);
            await stores.Operations.RemoveOldAsync(CancellationToken.None);
            var run = Assert.Single(await stores.Runs.ListAsync(TestStores.Account, record.SessionId, before: null, limit: 5, CancellationToken.None));
            await stores.Runs.FindAsync(TestStores.Account, record.SessionId, run.RunId, CancellationToken.None);
            await stores.Runs.ListGoingAsync(TestStores.Account, record.SessionId, CancellationToken.None);
            await stores.Runs.ReadOutputAsync(TestStores.Account, run.RunId, after: 0, CancellationToken.None);
            await stores.Sessions.PurgeAsync(TestStores.Account, record.SessionId, operation: null, CancellationToken.None);
        }
    }

    private static async Task GrowAsync(PostgresStores stores) => await stores.ScalarAsync(string.Create(CultureInfo.InvariantCulture, $"""
        insert into session (session_id, account_id, session_name, search_name, harness, source, status, provider, run_count, run_time_ms, created_at, updated_at,
                             transcript_total, event_total, change, version)
        select 'grown ' || i, '{TestStores.Account}', '', 'many', 'many', 'many', i % 2 * 2, 'none', 1, 0, i, i::bigint * 1000000, 1, 1, i::bigint << 16, 1
        from generate_series(1, {Grown}) i;
        insert into transcript_entry (session_id, position, at, role, kind) select 'grown ' || i, 0, i, 1, 'text' from generate_series(1, {Grown}) i;
        insert into search_entry (number, account_id, session_id, position, at, role, length, words)
        select nextval('search_entry_number'), '{TestStores.Account}', 'grown ' || i, 0, i, 1, 1,
               array_to_tsvector(array['{SearchMarks.PrefixOf(TestStores.Account)}other', '#a' || (i >> 11), '#b0', '#c0'])
        from generate_series(1, {Grown}) i;
        insert into session_event (session_id, position, length, entries, kind, status) select 'grown ' || i, 1, 1, 1, 1, 0 from generate_series(1, {Grown}) i;
        insert into run (run_id, session_id, account_id, sandbox_id, runtime, code, status, truncated, output_head, started_at, ended_at)
        select 'run ' || i, 'grown ' || i, '{TestStores.Account}', '', 1, '', 1, false, 1, i, i from generate_series(1, {Grown}) i;
        insert into run_output (run_id, sequence, kind, data) select 'run ' || i, 1, 1, '' from generate_series(1, {Grown}) i;
        insert into idempotency (account_id, key, session_id, request_hash, result, created_at)
        select '{TestStores.Account}', 'key ' || i, 'grown ' || i, '', '', (extract(epoch from now()) * 1000000)::bigint from generate_series(1, {Grown}) i;
        insert into secret_access (account_id, at, key, session_id, name, outcome)
        select account, (extract(epoch from now()) * 1000000)::bigint - age * 1000000::bigint - i, '', 'many', 'many', 1
        from (values ('{TestStores.Account}', 1000000), ('another', 0)) as other (account, age), generate_series(1, {Grown}) i;
        insert into reminder (service_id, grain_id, name, grain_hash, start_time, period)
        select 'service', 'grain ' || i, 'files', i * 10, now(), 1000 from generate_series(1, {Grown}) i;
        insert into grain_state (service_id, n0, n1, type_name, extension, payload, version)
        select 'service', 0, 0, 'grains', 'grain ' || i, '', 1 from generate_series(1, {Grown}) i;

        -- A page of it is a small part of what its events tell of.
        insert into session (session_id, account_id, session_name, search_name, status, provider, run_count, run_time_ms, created_at, updated_at, transcript_total,
                             event_total, change, version)
        values ('dense', '{TestStores.Account}', '', '', 0, 'none', 1, 0, 1, 1, 0, {Grown}, 1, 1);
        insert into run (run_id, session_id, account_id, sandbox_id, runtime, code, status, truncated, output_head, started_at, ended_at)
        values ('dense', 'dense', '{TestStores.Account}', '', 1, '', 1, false, {Grown}, 1, 1);
        insert into session_event (session_id, position, length, entries, kind, run_id, sequence)
        select 'dense', i * 40, 40, 0, 3, 'dense', i * 40 + 1 from generate_series(0, {Grown} / 40 - 1) i;
        insert into run_output (run_id, sequence, kind, data) select 'dense', i, 1, 'x' from generate_series(1, {Grown}) i;
        """));

    /// <summary>What Orleans asks for most, in its own words: a silo that looks at its part of the ring, and grains with their state.</summary>
    private static async Task UseAsOrleansAsync(PostgresStores stores, string word)
    {
        (string Name, object Value)[] reminder =
            [("ServiceId", "service"), ("GrainId", word), ("ReminderName", "files"), ("GrainHash", 7), ("StartTime", DateTime.UnixEpoch), ("Period", 1000L)];
        (string Name, object Value)[] state =
        [
            ("ServiceId", "service"), ("GrainIdN0", 0L), ("GrainIdN1", 0L), ("GrainTypeString", "grains"), ("GrainIdExtensionString", word), ("GrainStateVersion", DBNull.Value),
            ("PayloadBinary", Array.Empty<byte>()),
        ];
        for (var i = 0; i < 3; i++)
        {
            await AskAsync("UpsertReminderRowKey", reminder);
            await AskAsync("ReadReminderRowKey", reminder[..3]);
            await AskAsync("ReadReminderRowsKey", reminder[..2]);
            await AskAsync("ReadRangeRows1Key", ("ServiceId", "service"), ("BeginHash", 0), ("EndHash", 100));
            await AskAsync("ReadRangeRows2Key", ("ServiceId", "service"), ("BeginHash", Grown * 10), ("EndHash", 100));
            await AskAsync("DeleteReminderRowKey", [.. reminder[..3], ("Version", 1)]);
            await AskAsync("WriteToStorageKey", state);
            await AskAsync("ReadFromStorageKey", state[..5]);
            await AskAsync("ClearStorageKey", [.. state[..5], ("GrainStateVersion", 1)]);
            await AskAsync("DeleteStorageKey", [.. state[..5], ("GrainStateVersion", 2)]);
        }

        async Task AskAsync(string key, params (string Name, object Value)[] parameters)
        {
            var query = (string)(await stores.ScalarAsync($"select QueryText from OrleansQuery where QueryKey = '{key}'"))!;
#pragma warning disable CA2100 // The text is a statement of ours.
            await using var command = stores.Database.Source.CreateCommand(query);
#pragma warning restore CA2100
            foreach (var (name, value) in parameters)
            {
                command.Parameters.Add(value is DBNull ? new(name, NpgsqlDbType.Integer) { Value = value } : new NpgsqlParameter(name, value));
            }

            await command.ExecuteNonQueryAsync();
        }
    }

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
