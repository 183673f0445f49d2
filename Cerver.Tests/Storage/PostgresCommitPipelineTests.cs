using System.Diagnostics;
using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Grains.Sessions;
using Cerver.Runs;
using Cerver.Sessions;
using Npgsql;

namespace Cerver.Tests.Storage;

/// <summary>Many changes in one transaction, and several processes at one database.</summary>
#pragma warning disable CA1001 // It is disposed of by IAsyncLifetime.
public sealed class PostgresCommitPipelineTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private PostgresTestDatabase? _database;
    private TestStores? _one;
    private TestStores? _two;

    /// <summary>As one process and another.</summary>
    private TestStores One => _one!;

    private TestStores Two => _two!;

    public async Task InitializeAsync()
    {
        _database = await PostgresTestDatabase.CreateAsync();
        _one = new PostgresStores(_database, TimeProvider.System);
        _two = new PostgresStores(_database, TimeProvider.System, ownsDatabase: false);
    }

    public async Task DisposeAsync()
    {
        await Two.DisposeAsync();
        await One.DisposeAsync();
    }

    [Fact]
    public async Task A_fenced_session_in_a_batch_fails_alone_and_wholly()
    {
        var (first, stale, last) = (await One.NewAsync("first"), await One.NewAsync("stale"), await One.NewAsync("last"));
        await One.Sessions.CommitAsync(Append(stale, "newer"), CancellationToken.None);

        var commits = await InOneBatchAsync([Append(first, "a"), Append(stale, "b") with { Recorded = Operation("key") }, Append(last, "c")]);

        Assert.Equal([null, CerverError.Fenced, null], commits);
        Assert.Equal("a,c,newer", await One.ScalarAsync("select string_agg(content, ',' order by content) from transcript_entry where content <> 'held'"));
        Assert.Equal(0L, await One.ScalarAsync("select count(*) from idempotency"));
        Assert.Empty(await One.FindViolationsAsync());
    }

    [Fact]
    public async Task A_violated_constraint_in_a_batch_fails_that_change_alone_and_wholly()
    {
        var (first, taken, last) = (await One.NewAsync("first"), await One.NewAsync("taken"), await One.NewAsync("last"));
        var run = Run(first);
        await One.Sessions.CommitAsync(Append(first, "a") with { Started = run }, CancellationToken.None);
        first = Append(first, "a").Next;

        var commits = await InOneBatchAsync([Append(first, "b"), Append(taken, "x") with { Started = run with { SessionId = taken.SessionId } }, Append(last, "c")]);

        Assert.Equal([null, CerverError.Fenced, null], commits);
        Assert.Equal("a,b,c", await One.ScalarAsync("select string_agg(content, ',' order by content) from transcript_entry where content <> 'held'"));
        Assert.Empty(await One.FindViolationsAsync());
    }

    [Fact]
    public async Task A_mistake_in_one_change_takes_no_other_with_it()
    {
        var (first, last) = (await One.NewAsync("first"), await One.NewAsync("last"));
        var mistaken = SessionChange.From(first, first.UpdatedAt, rewrites: false, [GrainCluster.Text("no time") with { At = null }]);

        var (held, release) = await HoldAsync();
        var blocked = One.Sessions.CommitAsync(Append(held, "held"), CancellationToken.None);
        var refused = Record.ExceptionAsync(() => One.Sessions.CommitAsync(mistaken, CancellationToken.None));
        var good = One.Sessions.CommitAsync(Append(last, "good"), CancellationToken.None);
        await release();

        await Task.WhenAll(blocked, good);
        Assert.IsType<InvalidOperationException>(await refused);
    }

    [Fact]
    public async Task Of_two_writers_of_a_session_one_is_fenced_each_time_and_no_entry_is_lost_or_doubled()
    {
        var record = await One.NewAsync("shared");
        var acknowledged = new List<string>();
        for (var round = 0; round < 50; round++)
        {
            var known = (await One.Sessions.FindAsync(TestStores.Account, record.SessionId, CancellationToken.None))!;
            var commits = await Task.WhenAll(
                AnswerAsync(() => One.Sessions.CommitAsync(Append(known, $"one {round}"), CancellationToken.None)),
                AnswerAsync(() => Two.Sessions.CommitAsync(Append(known, $"two {round}"), CancellationToken.None)));

            Assert.Single(commits, commit => commit is null);
            Assert.Single(commits, commit => commit is CerverError.Fenced);
            acknowledged.Add(commits[0] is null ? $"one {round}" : $"two {round}");
        }

        var page = await One.Sessions.ReadAsync(TestStores.Account, record.SessionId, new(), CancellationToken.None);
        Assert.Equal(acknowledged, page!.Entries.Select(entry => entry.Content));
        Assert.Empty(await One.FindViolationsAsync());
    }

    [Fact]
    public async Task Two_processes_that_write_to_the_same_sessions_in_any_order_hold_each_other_up_and_never_for_good()
    {
        var sessions = new List<SessionRecord>();
        for (var i = 0; i < 20; i++)
        {
            var record = await One.NewAsync($"{i}");
            var run = Run(record);
            await One.Sessions.CommitAsync(Append(record, "a") with { Started = run }, CancellationToken.None);
            sessions.Add(Append(record, "a").Next);
        }

        var runs = await Task.WhenAll(sessions.Select(async session =>
            (session.SessionId, Runs: await One.Runs.ListGoingAsync(TestStores.Account, session.SessionId, CancellationToken.None))));

        // Output comes from one process, in one order, while entries come from the other, in the opposite order.
        await Task.WhenAll(
            Task.WhenAll(runs.Select(run => RepeatAsync(30, i => One.Runs.AppendOutputAsync(
                run.SessionId, run.Runs[0].RunId, [new RunChunk(i + 1, OutputKind.Stdout, [1])], CancellationToken.None)))),
            Task.WhenAll(Enumerable.Reverse(sessions).Select(async session =>
            {
                var known = session;
                await RepeatAsync(30, async i =>
                {
                    var change = Append(known, $"{i}");
                    await Two.Sessions.CommitAsync(change, CancellationToken.None);
                    known = change.Next;
                });
            })));

        Assert.Empty(await One.FindViolationsAsync());
        Assert.Equal(600L, await One.ScalarAsync("select count(*) from run_output"));
    }

    [Fact]
    public async Task Operations_with_one_key_meet_wherever_they_are_made()
    {
        for (var round = 0; round < 20; round++)
        {
            var operation = Operation($"key {round}");
            var commits = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => AnswerAsync(
                () => (i % 2 == 0 ? One : Two).Sessions.CommitAsync(Create() with { Recorded = operation }, CancellationToken.None))));

            Assert.Single(commits, commit => commit is null);
            Assert.Equal(5, commits.Count(commit => commit is CerverError.Fenced));
        }

        Assert.Equal(20L, await One.ScalarAsync("select count(*) from session"));
    }

    [Fact]
    public async Task Output_after_the_end_of_its_run_is_a_conflict_and_of_a_session_that_is_gone_not_found()
    {
        var record = await One.NewAsync("a");
        var run = Run(record);
        var started = Append(record, "a") with { Started = run };
        await One.Sessions.CommitAsync(started, CancellationToken.None);
        Task AppendAsync(string sessionId) => One.Runs.AppendOutputAsync(sessionId, run.RunId, [new RunChunk(1, OutputKind.Stdout, [1])], CancellationToken.None);
        await AppendAsync(record.SessionId);

        Assert.Equal(CerverError.Fenced, await AnswerAsync(() => AppendAsync(record.SessionId)));
        Assert.Equal(CerverError.NotFound, await AnswerAsync(() => AppendAsync("gone")));
        await One.Sessions.CommitAsync(
            SessionChange.From(started.Next, record.UpdatedAt, rewrites: true, []) with { Ended = [RunEnd.Lost(run.RunId, record.UpdatedAt)] }, CancellationToken.None);
        Assert.Equal(CerverError.Conflict, await AnswerAsync(() => AppendAsync(record.SessionId)));
        Assert.Equal(1L, await One.ScalarAsync("select output_head from run"));
    }

    [Fact]
    public async Task A_change_is_listed_only_when_none_with_a_lower_number_can_still_come()
    {
        var earlier = await One.NewAsync("earlier");
        await ListChangedAsync(after: 0);
        await using var connection = await _database!.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("select number from next_change", connection, transaction);
        var held = (long)(await command.ExecuteScalarAsync())!;
        var later = await Two.NewAsync("later");

        var during = await One.Sessions.ListChangedAsync(TestStores.Account, after: 0, limit: 10, CancellationToken.None);
        await transaction.RollbackAsync();
        var after = await ListChangedAsync(during.Head);

        Assert.Equal([earlier.SessionId], during.Sessions.Select(changed => changed.Session.SessionId));
        Assert.True(during.Head < held);
        Assert.Equal([later.SessionId], after.Sessions.Select(changed => changed.Session.SessionId));
        Assert.True(after.Sessions[0].Change > held && after.Head >= after.Sessions[0].Change);
    }

    [Fact]
    public async Task Who_follows_the_numbers_misses_no_change_of_many_writers()
    {
        var writers = Enumerable.Range(0, 16).Select(async i =>
        {
            var stores = i % 2 == 0 ? One : Two;
            var record = await stores.NewAsync($"{i}");
            await RepeatAsync(40, async round =>
            {
                var change = Append(record, $"{round}");
                await stores.Sessions.CommitAsync(change, CancellationToken.None);
                record = change.Next;
            });
        }).ToList();

        var seen = new Dictionary<string, long>();
        var (known, head) = (0L, 0L);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (seen.Count < 16 || seen.Values.Any(version => version < 41))
        {
            var page = await Two.Sessions.ListChangedAsync(TestStores.Account, known, limit: 5, limit.Token);
            Assert.True(page.Head >= head);
            head = page.Head;
            foreach (var changed in page.Sessions)
            {
                Assert.True(changed.Change > known && changed.Change <= head);
                known = changed.Change;
                Assert.True(!seen.TryGetValue(changed.Session.SessionId, out var version) || version < changed.Session.Version);
                seen[changed.Session.SessionId] = changed.Session.Version;
            }
        }

        await Task.WhenAll(writers);
        Assert.All(seen.Values, version => Assert.Equal(41, version));
    }

    [Fact]
    public async Task A_full_queue_makes_writers_wait_and_loses_nothing()
    {
        var changes = Enumerable.Range(0, 6000).Select(_ => Create()).ToList();

        await Task.WhenAll(changes.Select(change => One.Sessions.CommitAsync(change, CancellationToken.None)));

        Assert.Equal(6000L, await One.ScalarAsync("select count(*) from session"));
    }

    [Fact]
    public async Task Stopping_writes_what_is_queued_and_then_refuses()
    {
        var stores = new PostgresStores(_database!, TimeProvider.System, ownsDatabase: false);
        var writes = Enumerable.Range(0, 100).Select(_ => stores.Sessions.CommitAsync(Create(), CancellationToken.None)).ToList();

        await stores.DisposeAsync();
        await Task.WhenAll(writes);

        Assert.Equal(100L, await One.ScalarAsync("select count(*) from session"));
        Assert.Equal(CerverError.StorageUnavailable, await AnswerAsync(() => stores.Sessions.CommitAsync(Create(), CancellationToken.None)));
    }

    [Fact]
    public async Task A_row_that_somebody_holds_for_long_refuses_its_session_and_no_other()
    {
        var other = await One.NewAsync("other");
        var (held, release) = await HoldAsync();

        var commits = await InOneBatchAsync([Append(held, "a"), Append(other, "b")]);

        Assert.Equal([CerverError.StorageUnavailable, null], commits);
        await release();
        Assert.Null(await AnswerAsync(() => One.Sessions.CommitAsync(Append(held, "a"), CancellationToken.None)));
    }

    [Fact]
    public async Task When_the_lock_of_a_table_and_no_session_is_in_the_way_a_whole_batch_is_refused_soon()
    {
        var records = new List<SessionRecord>();
        for (var i = 0; i < 20; i++)
        {
            records.Add(await One.NewAsync($"{i}"));
        }

        await using var connection = await _database!.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "lock table transcript_entry in access exclusive mode");
        var started = Stopwatch.GetTimestamp();

        // The first of them keeps the writer busy, so that the others make a batch.
        var refusals = await Task.WhenAll(records.Select(record => AnswerAsync(() => One.Sessions.CommitAsync(Append(record, "a"), CancellationToken.None))));

        // Three locks are waited for, a second each, and not twenty.
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(12));
        Assert.All(refusals, refusal => Assert.Equal(CerverError.StorageUnavailable, refusal));
        await transaction.RollbackAsync();
        Assert.Null(await AnswerAsync(() => One.Sessions.CommitAsync(Append(records[^1], "a"), CancellationToken.None)));
    }

    [Fact]
    public async Task A_read_that_breaks_off_in_the_middle_leaves_no_transaction_open()
    {
        var record = await One.NewAsync("damaged");
        await One.ScalarAsync("update session set transcript_total = 5");

        var refusal = await AnswerAsync(() => One.Sessions.ReadEventsAsync(TestStores.Account, record.SessionId, from: 0, CancellationToken.None));

        Assert.Equal(CerverError.StorageUnavailable, refusal);
        await One.NewAsync("another");
        Assert.Equal(0L, await One.ScalarAsync("select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'"));
    }

    /// <summary>What changed, as soon as it is known: others write to the same server.</summary>
    private async Task<ChangedSessions> ListChangedAsync(long after)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var page = await One.Sessions.ListChangedAsync(TestStores.Account, after, limit: 10, limit.Token);
            if (!page.Sessions.IsEmpty)
            {
                return page;
            }
        }
    }

    /// <summary>Makes changes while a batch is being held up, so that they wait for it together.</summary>
    private async Task<CerverError?[]> InOneBatchAsync(SessionChange[] changes)
    {
        var (held, release) = await HoldAsync();
        var blocked = One.Sessions.CommitAsync(Append(held, "held"), CancellationToken.None);
        var commits = changes.Select(change => AnswerAsync(() => One.Sessions.CommitAsync(change, CancellationToken.None))).ToList();
        await release();
        await blocked;
        return await Task.WhenAll(commits);
    }

    /// <summary>Holds the row of a new session until it is released.</summary>
    private async Task<(SessionRecord Held, Func<Task> Release)> HoldAsync()
    {
        var record = await One.NewAsync("held");
        var connection = await _database!.Source.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, $"select from session where session_id = '{record.SessionId}' for update");
        return (record, async () =>
        {
            await transaction.RollbackAsync();
            await connection.DisposeAsync();
        }
        );
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task RepeatAsync(int times, Func<int, Task> work)
    {
        for (var i = 0; i < times; i++)
        {
            await work(i);
        }
    }

    /// <summary>What a call is refused with, or null.</summary>
    private static async Task<CerverError?> AnswerAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (CerverException refusal)
        {
            return refusal.Code;
        }
    }

    private static SessionChange Create()
    {
        var now = TimeProvider.System.GetUtcNow();
        var record = SessionRules.NewRecord(
            GrainCluster.Request(Cerver.Computes.ComputeChoice.None), TestStores.Account, Ids.NewSession(TimeProvider.System), now);
        return SessionChange.From(record, now, rewrites: true, []);
    }

    private static SessionChange Append(SessionRecord record, string text) =>
        SessionChange.From(record, record.UpdatedAt, rewrites: false, [GrainCluster.Text(text) with { At = record.UpdatedAt }]);

    private static RecordedOperation Operation(string key) => new(key, [1, 2, 3], "\"done\"");

    private static RunRecord Run(SessionRecord record) => new(
        Ids.NewRun(TimeProvider.System), record.SessionId, "sandbox", SandboxRuntime.Shell, "true", RunStatus.Running, ExitCode: null, Truncated: false, OutputHead: 0,
        record.UpdatedAt, EndedAt: null);
}
