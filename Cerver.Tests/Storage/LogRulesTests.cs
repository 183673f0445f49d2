using Cerver.Grains.Storage;

namespace Cerver.Tests.Storage;

/// <summary>The rules of the log, each broken once.</summary>
public abstract class LogRulesTests(TestedDatabase database) : IAsyncLifetime
{
    private TestStores? _stores;

    private TestStores Stores => _stores!;

    public async Task InitializeAsync()
    {
        _stores = await TestStores.CreateAsync(database);
        if (database == TestedDatabase.Postgres)
        {
            // The older schema of SQLite has these too.
            await Stores.ScalarAsync("alter table session alter event_total set default 0, alter change set default 0, alter search_name set default ''; alter table search_entry alter words set default ''");
        }

        await Stores.ScalarAsync("""
            insert into session (session_id, account_id, session_name, status, provider, run_count, run_time_ms, created_at, updated_at, transcript_total, version)
            values ('full', 'a', '', 1, 'local', 2, 0, 1, 1, 3, 4), ('empty', 'a', '', 0, 'none', 0, 0, 1, 1, 0, 1), ('ended', 'a', '', 2, 'none', 1, 0, 1, 1, 0, 1);
            insert into transcript_entry (session_id, position, at, role, kind)
            values ('full', 0, 1, 1, 'text'), ('full', 1, 1, 1, 'text'), ('full', 2, 1, 1, 'text'), ('purged', 7, 1, 1, 'text');
            insert into run (run_id, session_id, account_id, sandbox_id, runtime, code, status, truncated, output_head, started_at, ended_at)
            values ('done', 'full', 'a', 's', 1, '', 1, false, 2, 1, 2), ('going', 'full', 'a', 's', 1, '', 0, false, 0, 1, null),
                   ('silent', 'ended', 'a', 's', 1, '', 4, false, 0, 1, 2), ('erased', 'purged', 'a', 's', 1, '', 1, false, 9, 1, 2);
            insert into run_output (run_id, sequence, kind, data)
            values ('done', 1, 1, '0'), ('done', 2, 1, '0'), ('going', 1, 1, '0'), ('erased', 5, 1, '0');
            insert into session_event (session_id, position, length, entries, kind, run_id, sequence)
            values ('full', 1, 1, 1, 2, 'done', null), ('full', 2, 2, 1, 3, 'done', 1), ('full', 5, 1, 2, 3, 'going', 1), ('purged', 3, 1, 1, 3, 'erased', 5);
            update session set event_total = 4 where session_id = 'full';
            insert into purge (session_id) values ('purged');
            """);
    }

    public async Task DisposeAsync() => await Stores.DisposeAsync();

    [Fact]
    public async Task A_sound_log_has_no_violations()
    {
        Assert.Empty(await Stores.FindViolationsAsync());
    }

    [Theory]
    [InlineData("delete from transcript_entry where session_id = 'full' and position = 1", "session full: transcript_total is 3, but there are 2 entries")]
    [InlineData("delete from transcript_entry where session_id = 'full' and position = 0", "at the positions 1 to 2")]
    [InlineData("delete from transcript_entry where session_id = 'full'", "at the positions none")]
    [InlineData("update transcript_entry set position = 3 where session_id = 'full' and position = 2", "at the positions 0 to 3")]
    [InlineData("update session set transcript_total = 2 where session_id = 'full'", "session full: transcript_total is 2, but there are 3 entries")]
    [InlineData("insert into transcript_entry (session_id, position, at, role, kind) values ('empty', 0, 1, 1, 'text')", "session empty: transcript_total is 0")]
    [InlineData("delete from run_output where run_id = 'done' and sequence = 1", "run done: output_head is 2, but there are 1 chunks")]
    [InlineData("delete from run_output where run_id = 'done' and sequence = 2", "run done: output_head is 2, but there are 1 chunks")]
    [InlineData("update run_output set sequence = 2 where run_id = 'going'", "run going: it is going on, but there are 1 chunks, at the sequence numbers 2 to 2")]
    [InlineData("update run set output_head = 1 where run_id = 'silent'", "run silent: output_head is 1, but there are 0 chunks")]
    [InlineData("insert into transcript_entry (session_id, position, at, role, kind) values ('gone', 0, 1, 1, 'text')", "session gone: it does not exist, but 1 entries of it do")]
    [InlineData("update run set session_id = 'gone' where run_id = 'silent'", "run silent: its session gone does not exist in its account")]
    [InlineData("update run set account_id = 'b' where run_id = 'silent'", "run silent: its session ended does not exist in its account")]
    [InlineData("insert into run_output (run_id, sequence, kind, data) values ('gone', 1, 1, '0')", "run gone: it does not exist, but 1 chunks of its output do")]
    [InlineData("update session set status = 2 where session_id = 'full'", "run going: it is going on, but its session full has ended")]
    [InlineData("update run set ended_at = null where run_id = 'silent'", "run silent: its status is 4, but it has no time of its end")]
    [InlineData("update run set ended_at = 2 where run_id = 'going'", "run going: its status is 0, but it has a time of its end")]
    [InlineData("update session_event set position = 6 where position = 5", "session full: the event at 6 says that 2 entries come before it, but there are 3 events")]
    [InlineData("update session_event set entries = 0 where position = 2", "the last of them after 1 entries")]
    [InlineData("update session_event set entries = 5, position = 8 where position = 5", "and the transcript has 3 entries")]
    [InlineData(
        "insert into search_entry (number, account_id, session_id, position, at, role, length) values (7, 'a', 'full', 9, 1, 1, 1), (8, 'a', 'full', 2, 1, 1, 1), (9, 'a', 'purged', 3, 1, 1, 1)",
        "session full: 1 entries of it are in the search index and not in its transcript")]
    [InlineData("delete from session_event where position = 5", "session full: event_total is 4, but there are 3 events")]
    [InlineData("update session_event set length = 1 where position = 2", "run done: it has 2 chunks of output, but its session has 1 up to the sequence number 1")]
    [InlineData("update session_event set session_id = 'gone' where position = 5", "session gone: it does not exist, but 1 of its events do")]
    public async Task A_broken_rule_is_told(string mutation, string line)
    {
        await Stores.ScalarAsync(mutation);

        Assert.Contains(await Stores.FindViolationsAsync(), found => found.Contains(line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_one_rule_a_hundred_violations_are_told()
    {
        await Stores.ScalarAsync("""
            insert into run_output (run_id, sequence, kind, data)
            select 'gone ' || value, 1, 1, '0' from (with recursive n (value) as (select 1 union all select value + 1 from n where value < 500) select value from n) as many
            """);

        Assert.Equal(LogRules.MaxViolations, (await Stores.FindViolationsAsync()).Count);
    }
}

/// <inheritdoc/>
public sealed class SqliteLogRulesTests() : LogRulesTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresLogRulesTests() : LogRulesTests(TestedDatabase.Postgres);
