using System.Text;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Tests.Computes;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Sessions;

/// <summary>Everything that happens in a session has one place in one order.</summary>
public abstract class SessionEventTests(GrainCluster cluster)
{
    [Fact]
    public async Task Entries_statuses_and_runs_are_in_one_dense_order()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var program = await BeginAsync(session);
        await PrintAsync(session, program, "one");
        await session.AppendAsync([Text("between")]);
        await PrintAsync(session, program, "two");
        await EndAsync(session, program);
        await session.PauseAsync();

        var page = await cluster.Recall.ReadEventsAsync(accountId, sessionId, from: 0);

        Assert.Equal(
            ["status Running", "entry 0", "began", "printed one", "entry 1", "printed two", "entry 2", "ended Exited", "status Idle"],
            page.Events.Select(Describe));
        Assert.Equal(Enumerable.Range(0, 9).Select(position => (long)position), page.Events.Select(happened => happened.Position));
        Assert.Equal(9, page.Head);
    }

    [Fact]
    public async Task A_page_from_any_position_is_the_same_as_a_part_of_the_whole()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var program = await BeginAsync(session);
        for (var i = 0; i < 5; i++)
        {
            // More than one chunk each, so that a page may begin within one commit.
            await PrintAsync(session, program, new string((char)('a' + i), 40_000));
            await session.AppendAsync([Text($"{i}"), Text($"{i} again")]);
        }

        await EndAsync(session, program);
        await session.EndAsync(purge: false);
        var whole = await ReadAllAsync(accountId, sessionId, from: 0);

        for (var from = 0; from <= whole.Count; from++)
        {
            Assert.Equal(whole.Skip(from), await ReadAllAsync(accountId, sessionId, from));
        }

        Assert.Equal("status Ended", whole[^1]);
        Assert.Equal(5 * 2 + 2, whole.Count(happened => happened.StartsWith("entry", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task More_than_fits_into_a_page_comes_in_several()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        for (var i = 0; i < 3; i++)
        {
            await session.AppendAsync([.. Enumerable.Range(0, 700).Select(entry => Text($"{i}.{entry}"))]);
        }

        var first = await cluster.Recall.ReadEventsAsync(accountId, sessionId, from: 0);
        var all = await ReadAllAsync(accountId, sessionId, from: 0);

        Assert.Equal((500, 2101L), (first.Events.Length, first.Head));
        Assert.Equal(2101, all.Count);
        Assert.Equal("entry 2099", all[^1]);
    }

    [Fact]
    public async Task Waiting_ends_with_news_and_without_after_its_time()
    {
        var (session, _, _) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var known = await session.WaitAsync(known: 0, TimeSpan.FromSeconds(5));

        var none = await session.WaitAsync(known, TimeSpan.FromMilliseconds(1));
        var waiting = session.WaitAsync(known, TimeSpan.FromSeconds(5));
        await session.AppendAsync([Text("news")]);

        Assert.Equal(known, none);
        Assert.NotEqual(known, await waiting);
    }

    [Fact]
    public async Task An_erased_session_has_no_events()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        await session.EndAsync(purge: true);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => cluster.Recall.ReadEventsAsync(accountId, sessionId, from: 0));

        Assert.Equal(CerverError.NotFound, refusal.Code);
    }

    [Fact]
    public async Task Sessions_of_an_account_come_in_the_order_of_their_last_changes_also_of_those_that_are_no_activity()
    {
        var accountId = NewAccount();
        var (first, _, firstId) = cluster.NewSession(accountId);
        var (second, _, secondId) = cluster.NewSession(accountId);
        await first.CreateAsync(Request(ComputeChoice.None));
        await second.CreateAsync(Request(ComputeChoice.None));
        var before = await ListChangedAsync(accountId, after: 0, page => page.Sessions.Length == 2);
        await first.AppendAsync([Text("again")]);

        var changed = await ListChangedAsync(accountId, before.Head, page => page.Sessions.Length == 1);
        var all = await cluster.Recall.ListChangedAsync(accountId, after: 0, limit: 10);

        Assert.Equal([firstId, secondId], before.Sessions.Select(session => session.Session.SessionId));
        Assert.Equal((firstId, 1), (Assert.Single(changed.Sessions).Session.SessionId, changed.Sessions[0].Session.TranscriptTotal));
        Assert.Equal([secondId, firstId], all.Sessions.Select(session => session.Session.SessionId));
        Assert.True(all.Head >= all.Sessions[^1].Change);
    }

    [Fact]
    public async Task Output_that_is_gone_leaves_its_place_empty_and_the_code_of_a_run_is_not_told_again()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var program = await BeginAsync(session);
        await PrintAsync(session, program, "one");
        await PrintAsync(session, program, "two");
        await EndAsync(session, program);
        var whole = await cluster.Recall.ReadEventsAsync(accountId, sessionId, from: 0);
        var runId = whole.Events.OfType<RunBegan>().Single().RunId;

        await cluster.ExecuteAsync($"delete from run_output where run_id = '{runId}' and sequence = 1");
        var rest = await cluster.Recall.ReadEventsAsync(accountId, sessionId, from: 0);

        Assert.Equal(whole.Events.Where(happened => happened is not RunPrinted { Chunk.Sequence: 1 }).Select(happened => happened.Position), rest.Events.Select(happened => happened.Position));
        Assert.Equal("", whole.Events.OfType<RunEnded>().Single().Run.Code);
    }

    private async Task<ScriptedProcess> BeginAsync(ISessionGrain session)
    {
        var created = (await session.CreateAsync(Request())).Value;
        await session.StartRunAsync(Run("code"));
        return await cluster.Provider.Sandbox(created.SandboxId!).NextAsync();
    }

    /// <summary>
    /// In PostgreSQL a change is not listed as long as anybody on the server, such as another test, is writing since before it.
    /// </summary>
    private async Task<ChangedSessions> ListChangedAsync(string accountId, long after, Func<ChangedSessions, bool> isComplete)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var page = await cluster.Recall.ListChangedAsync(accountId, after, limit: 10, limit.Token);
            if (isComplete(page))
            {
                return page;
            }
        }
    }

    private static async Task PrintAsync(ISessionGrain session, ScriptedProcess program, string text)
    {
        var known = await session.WaitAsync(known: 0, TimeSpan.Zero);
        program.Print(text);
        Assert.NotEqual(known, await session.WaitAsync(known, TimeSpan.FromSeconds(5)));
    }

    private static async Task EndAsync(ISessionGrain session, ScriptedProcess program)
    {
        var known = await session.WaitAsync(known: 0, TimeSpan.Zero);
        program.End(0);
        Assert.NotEqual(known, await session.WaitAsync(known, TimeSpan.FromSeconds(5)));
    }

    private async Task<List<string>> ReadAllAsync(string accountId, string sessionId, long from)
    {
        var all = new List<string>();
        while (true)
        {
            var page = await cluster.Recall.ReadEventsAsync(accountId, sessionId, from);
            Assert.All(page.Events, happened => Assert.Equal(from++, happened.Position));
            all.AddRange(page.Events.Select(Describe));
            if (from >= page.Head)
            {
                return all;
            }
        }
    }

    private static string Describe(SessionEvent happened) => happened switch
    {
        EntryAdded added => $"entry {added.Index}",
        StatusChanged changed => $"status {changed.Status}",
        RunBegan => "began",
        RunPrinted printed => $"printed {Encoding.UTF8.GetString(printed.Chunk.Data)}",
        RunEnded ended => $"ended {ended.Run.Status}",
        _ => "?",
    };
}

/// <inheritdoc/>
[Collection(nameof(GrainCluster))]
public sealed class SqliteSessionEventTests(GrainCluster cluster) : SessionEventTests(cluster);

/// <inheritdoc/>
[Collection(nameof(PostgresGrainCluster))]
public sealed class PostgresSessionEventTests(PostgresGrainCluster cluster) : SessionEventTests(cluster);
