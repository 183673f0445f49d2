using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Sessions;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Sessions;

public abstract class SessionGrainTests(GrainCluster cluster)
{
    [Fact]
    public async Task A_new_session_runs_on_the_first_compute_that_fits()
    {
        var (session, accountId, sessionId) = cluster.NewSession();

        var created = (await session.CreateAsync(Request())).Value;

        Assert.Equal((SessionStatus.Running, "scripted", "provider_scripted"), (created.Status, created.Provider, created.ComputeId));
        var read = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        Assert.Equal(created, read.Session);
    }

    [Fact]
    public async Task A_transcript_session_has_no_compute_and_is_idle()
    {
        var (session, _, _) = cluster.NewSession();

        var created = (await session.CreateAsync(Request(ComputeChoice.None))).Value;

        Assert.Equal((SessionStatus.Idle, "none", null, null), (created.Status, created.Provider, created.ComputeId, created.SandboxId));
    }

    [Fact]
    public async Task A_session_is_created_once()
    {
        var (session, _, _) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.CreateAsync(Request(ComputeChoice.None)));

        Assert.Equal(CerverError.Conflict, refusal.Code);
    }

    [Fact]
    public async Task A_session_of_another_account_does_not_exist()
    {
        var (session, _, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var stranger = NewAccount();

        var write = await Assert.ThrowsAsync<CerverException>(
            () => cluster.Grains.GetGrain<ISessionGrain>(SessionKey.For(stranger, sessionId)).AppendAsync([Text("mine?")]));
        var read = await Assert.ThrowsAsync<CerverException>(() => cluster.Recall.ReadSessionAsync(stranger, sessionId, new()));

        Assert.Equal((CerverError.NotFound, CerverError.NotFound), (write.Code, read.Code));
    }

    [Fact]
    public async Task Entries_take_consecutive_positions_in_the_order_they_came()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));

        var first = await session.AppendAsync([Text("a"), Text("b")]);
        var second = await session.AppendAsync([Text("c")]);

        Assert.Equal((2, 3), (first, second));
        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        Assert.Equal(["a", "b", "c"], page.Entries.Select(entry => entry.Content));
    }

    [Fact]
    public async Task Concurrent_appends_are_all_there_each_whole()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => session.AppendAsync([Text($"{i}a"), Text($"{i}b")])));

        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        var contents = page.Entries.Select(entry => entry.Content!).ToList();
        Assert.Equal(100, page.Session.TranscriptTotal);
        Assert.Equal(100, contents.Distinct().Count());
        Assert.All(contents.Chunk(2), pair => Assert.Equal((pair[0][..^1] + "b"), pair[1]));
    }

    [Theory]
    [InlineData(null, null, 0, 5)]
    [InlineData(3L, null, 3, 2)]
    [InlineData(5L, null, 5, 0)]
    [InlineData(900L, null, 5, 0)]
    [InlineData(null, 2L, 3, 2)]
    [InlineData(null, 0L, 5, 0)]
    [InlineData(null, 900L, 0, 5)]
    public async Task A_slice_is_what_its_bounds_say(long? since, long? tail, long first, int count)
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        await session.AppendAsync([.. Enumerable.Range(0, 5).Select(i => Text($"{i}"))]);

        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new(since, tail));

        Assert.Equal((first, count, 5), (page.First, page.Entries.Length, page.Session.TranscriptTotal));
    }

    [Fact]
    public async Task A_given_time_is_kept_to_the_microsecond_and_a_missing_one_is_stamped()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var given = new DateTimeOffset(2019, 3, 4, 5, 6, 7, TimeSpan.FromHours(9)).AddTicks(1234567);

        await session.AppendAsync([Text("old") with { At = given }, Text("new")]);

        var entries = (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries;
        Assert.Equal(given.AddTicks(-7).UtcTicks, entries[0].At!.Value.UtcTicks);
        Assert.InRange(entries[1].At!.Value, DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(500));
    }

    [Fact]
    public async Task A_stale_activation_is_fenced_steps_down_and_the_retry_succeeds()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var store = cluster.Services.GetRequiredService<ISessionStore>();
        var record = (await store.FindAsync(accountId, sessionId, CancellationToken.None))!;
        var intruder = SessionChange.From(record, record.UpdatedAt, rewrites: false, [Text("intruder") with { At = record.UpdatedAt }]);
        await store.CommitAsync(intruder, CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync([Text("stale")]));
        var total = await session.AppendAsync([Text("retried")]);

        Assert.Equal((CerverError.Fenced, 2), (refusal.Code, total));
        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        Assert.Equal(["intruder", "retried"], page.Entries.Select(entry => entry.Content));
    }

    [Fact]
    public async Task A_taken_position_fences_even_when_the_version_does_not()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var store = cluster.Services.GetRequiredService<ISessionStore>();
        var record = (await store.FindAsync(accountId, sessionId, CancellationToken.None))!;
        await session.AppendAsync([Text("first")]);
        var stale = SessionChange.From(record with { Version = record.Version + 1 }, record.UpdatedAt, rewrites: false, [Text("same place") with { At = record.UpdatedAt }]);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => store.CommitAsync(stale, CancellationToken.None));

        Assert.Equal(CerverError.Fenced, refusal.Code);
        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        Assert.Equal((1, "first"), (page.Session.TranscriptTotal, Assert.Single(page.Entries).Content));
    }

    [Fact]
    public async Task A_run_leaves_its_output_and_two_entries()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var run = (await session.StartRunAsync(Run("echo hello"))).Value;
        var program = await cluster.Provider.Sandbox(created.SandboxId!).NextAsync();

        program.Print("hello\n");
        program.Print("careful\n", OutputKind.Stderr);
        program.End(3);
        await EndedAsync(accountId, run);

        var ended = await cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId);
        Assert.Equal((RunStatus.Exited, 3, 2L), (ended.Status, ended.ExitCode, ended.OutputHead));
        var output = await cluster.Recall.ReadOutputAsync(accountId, run.RunId, after: 0);
        Assert.Equal([OutputKind.Stdout, OutputKind.Stderr], output.Select(chunk => chunk.Kind));
        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        Assert.Collection(
            page.Entries,
            use =>
            {
                Assert.Equal((EntryRole.Assistant, EntryKinds.ToolUse, "run", run.RunId), (use.Role, use.Kind, use.ToolName, use.ToolId));
                Assert.Equal($$"""{"code":"echo hello","run_id":"{{run.RunId}}"}""", use.ToolInput);
            },
            result => Assert.Equal(
                (EntryRole.Tool, EntryKinds.ToolResult, "hello\ncareful\n", run.RunId, true),
                (result.Role, result.Kind, result.Content, result.ToolId, result.IsError)));
    }

    [Fact]
    public async Task Starting_the_same_run_again_finds_it()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request());
        var request = Run();

        var first = (await session.StartRunAsync(request)).Value;
        var again = (await session.StartRunAsync(request)).Value;

        Assert.Equal(first.RunId, again.RunId);
        Assert.Single(await cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10));
    }

    [Fact]
    public async Task Pausing_ends_what_runs_and_resuming_brings_the_same_sandbox_back()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var run = (await session.StartRunAsync(Run("sleep"))).Value;

        var paused = (await session.PauseAsync()).Value;
        var during = await cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId);
        var resumed = (await session.ResumeAsync(compute: null)).Value;

        Assert.Equal((SessionStatus.Idle, RunStatus.Cancelled), (paused.Status, during.Status));
        Assert.Equal((SessionStatus.Running, created.SandboxId), (resumed.Status, resumed.SandboxId));
        Assert.DoesNotContain(created.SandboxId!, cluster.Provider.Removed);
    }

    [Fact]
    public async Task Ending_ends_what_runs_and_removes_the_sandbox_and_may_be_repeated()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var run = (await session.StartRunAsync(Run("sleep"))).Value;

        await session.EndAsync(purge: false);
        await session.EndAsync(purge: false);

        var ended = await cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId);
        var record = (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Session;
        Assert.Equal((SessionStatus.Ended, RunStatus.Cancelled), (record.Status, ended.Status));
        Assert.Contains(created.SandboxId!, cluster.Provider.Removed);
    }

    [Fact]
    public async Task An_ended_session_refuses_new_entries_runs_and_resumption()
    {
        var (session, _, _) = cluster.NewSession();
        await session.CreateAsync(Request());
        await session.EndAsync(purge: false);

        var append = await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync([Text("too late")]));
        var input = await Assert.ThrowsAsync<CerverException>(() => session.InputAsync(Text("too late")));
        var run = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(Run()));
        var resume = await Assert.ThrowsAsync<CerverException>(() => session.ResumeAsync(compute: null));

        Assert.Equal(
            [CerverError.SessionEnded, CerverError.SessionEnded, CerverError.SessionEnded, CerverError.NotResumable],
            [append.Code, input.Code, run.Code, resume.Code]);
    }

    [Fact]
    public async Task A_transcript_session_refuses_runs_and_resumption()
    {
        var (session, _, _) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));

        var run = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(Run()));
        var resume = await Assert.ThrowsAsync<CerverException>(() => session.ResumeAsync(compute: null));

        Assert.Equal((CerverError.NoCompute, CerverError.NotResumable), (run.Code, resume.Code));
    }

    [Fact]
    public async Task A_run_on_a_paused_session_resumes_it()
    {
        var (session, _, _) = cluster.NewSession();
        await session.CreateAsync(Request());
        await session.PauseAsync();

        await session.StartRunAsync(Run());

        Assert.Equal(SessionStatus.Running, (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.Status);
    }

    [Fact]
    public async Task An_input_whose_compute_cannot_come_up_appends_nothing()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request());
        await session.PauseAsync();
        cluster.Provider.Refusal = "Out of order.";
        try
        {
            var refusal = await Assert.ThrowsAsync<CerverException>(() => session.InputAsync(Text("hello")));
            Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
        }
        finally
        {
            cluster.Provider.Refusal = null;
        }

        Assert.Equal(0, (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Session.TranscriptTotal);
        Assert.Equal((1, SessionStatus.Running), ((await session.InputAsync(Text("again"))).Value is var record ? (record.TranscriptTotal, record.Status) : default));
    }

    [Fact]
    public async Task A_sandbox_that_dies_leaves_the_session_idle_and_its_runs_lost()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var run = (await session.StartRunAsync(Run("sleep"))).Value;
        var sandbox = cluster.Provider.Sandbox(created.SandboxId!);
        (await sandbox.NextAsync()).Print("last words");

        sandbox.Die();
        await EndedAsync(accountId, run);

        var lost = await cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId);
        Assert.Equal((RunStatus.Lost, null), (lost.Status, lost.ExitCode));
        var result = (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new(Tail: 1))).Entries[0];
        Assert.StartsWith("last words", result.Content, StringComparison.Ordinal);
        Assert.True(result.IsError);
    }

    [Fact]
    public async Task Changing_the_compute_removes_the_old_sandbox_and_leaves_an_entry()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;

        var without = (await session.ChangeComputeAsync(ComputeChoice.None)).Value;
        var with = (await session.ChangeComputeAsync(new(ComputeChoiceKind.Provider, "scripted"))).Value;

        Assert.Equal((SessionStatus.Idle, "none"), (without.Status, without.Provider));
        Assert.Equal((SessionStatus.Running, "scripted"), (with.Status, with.Provider));
        Assert.NotEqual(created.SandboxId, with.SandboxId);
        Assert.Contains(created.SandboxId!, cluster.Provider.Removed);
        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        Assert.All(page.Entries, entry => Assert.Equal((EntryRole.System, EntryKinds.ComputeSwitch), (entry.Role, entry.Kind)));
    }

    [Fact]
    public async Task Purging_erases_record_transcript_and_runs()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request());
        var run = (await session.StartRunAsync(Run())).Value;
        await session.AppendAsync([Text("gone")]);

        await session.EndAsync(purge: true);

        foreach (var call in (Func<Task>[])[
            () => session.AppendAsync([Text("still here?")]),
            () => session.EndAsync(purge: true),
            () => cluster.Recall.ReadSessionAsync(accountId, sessionId, new()),
            () => cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId)])
        {
            Assert.Equal(CerverError.NotFound, (await Assert.ThrowsAsync<CerverException>(call)).Code);
        }

        Assert.Empty(await cluster.Recall.ReadOutputAsync(accountId, run.RunId, after: 0));
    }

    [Fact]
    public async Task Metadata_is_merged_member_by_member()
    {
        var (session, _, _) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None, metadata: """{"a":1,"b":{"c":2}}"""));

        var updated = (await session.UpdateAsync(new("renamed", """{"b":{"d":3},"a":null,"e":"ü"}"""))).Value;

        Assert.Equal(("renamed", """{"b":{"d":3},"e":"ü"}"""), (updated.SessionName, updated.Metadata));
    }

    [Fact]
    public async Task A_list_has_the_most_recently_active_first_and_goes_on_from_its_cursor()
    {
        var accountId = NewAccount();
        var sessions = new List<(ISessionGrain Grain, string Id)>();
        for (var i = 0; i < 5; i++)
        {
            var (session, _, sessionId) = cluster.NewSession(accountId);
            await session.CreateAsync(Request(ComputeChoice.None, name: $"ñumber {i}", metadata: $$"""{"source":"{{(i % 2 == 0 ? "even" : "odd")}}"}"""));
            sessions.Add((session, sessionId));
        }

        await sessions[1].Grain.AppendAsync([Text("active again")]);

        var first = await cluster.Recall.ListSessionsAsync(accountId, new(Limit: 3));
        var second = await cluster.Recall.ListSessionsAsync(accountId, new(Limit: 3, After: first.Next));
        Assert.Equal(["ñumber 1", "ñumber 4", "ñumber 3", "ñumber 2", "ñumber 0"], first.Sessions.Concat(second.Sessions).Select(s => s.SessionName));
        Assert.Null(second.Next);
        var even = await cluster.Recall.ListSessionsAsync(accountId, new(Limit: 10, Source: "even"));
        Assert.Equal(3, even.Sessions.Length);
        var named = await cluster.Recall.ListSessionsAsync(accountId, new(Limit: 10, Name: "ÑUMBER 4", Status: SessionStatus.Idle));
        Assert.Single(named.Sessions);
        Assert.Empty((await cluster.Recall.ListSessionsAsync(accountId, new(Limit: 10, Status: SessionStatus.Ended))).Sessions);
    }

    [Fact]
    public async Task Recovery_closes_what_a_dead_process_left_going()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request(ComputeChoice.None))).Value;
        var store = cluster.Services.GetRequiredService<ISessionStore>();
        var run = new RunRecord(
            Ids.NewRun(TimeProvider.System), sessionId, "sbx_gone", SandboxRuntime.Shell, "sleep", RunStatus.Running, null, Truncated: false, 0, created.CreatedAt, null);
        await store.CommitAsync(
            SessionChange.From(created with { Status = SessionStatus.Running, SandboxId = "sbx_gone", Provider = "scripted" }, created.UpdatedAt, rewrites: true, []) with { Started = run },
            CancellationToken.None);
        await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync([Text("makes the activation step down")]));

        await cluster.Services.GetRequiredService<SessionRecovery>().RunAsync(static _ => true, CancellationToken.None);

        var record = (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value;
        var closed = await cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId);
        Assert.Equal((SessionStatus.Idle, RunStatus.Lost), (record.Status, closed.Status));
        var entry = (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new(Tail: 1))).Entries[0];
        Assert.Equal((EntryKinds.ToolResult, true), (entry.Kind, entry.IsError));
    }

    [Fact]
    public async Task Recovery_leaves_a_run_alone_whose_sandbox_is_up()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request());
        var run = (await session.StartRunAsync(Run("sleep"))).Value;

        Assert.True(await cluster.Services.GetRequiredService<SessionRecovery>().RunAsync(static _ => true, CancellationToken.None));

        Assert.Equal(RunStatus.Running, (await cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId)).Status);
        Assert.Equal(SessionStatus.Running, (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.Status);
    }

    [Fact]
    public async Task News_of_a_lost_sandbox_that_is_up_again_changes_nothing()
    {
        var (session, _, _) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;

        await session.SandboxLostAsync(created.SandboxId!);

        Assert.Equal(SessionStatus.Running, (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.Status);
    }

    [Fact]
    public async Task A_runtime_that_the_compute_does_not_have_is_refused_and_leaves_nothing()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request());

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(Run() with { Runtime = SandboxRuntime.Node }));

        Assert.Equal((CerverError.NoCompute, "runtime"), (refusal.Code, refusal.Field));
        Assert.Empty(await cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10));
        Assert.Equal(0, (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Session.TranscriptTotal);
    }

    [Fact]
    public async Task Ending_closes_runs_that_the_sandbox_does_not_know()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var store = cluster.Services.GetRequiredService<ISessionStore>();
        var run = new RunRecord(
            Ids.NewRun(TimeProvider.System), sessionId, created.SandboxId!, SandboxRuntime.Shell, "sleep", RunStatus.Running, null, Truncated: false, 0, created.CreatedAt, null);
        await store.CommitAsync(SessionChange.From(created, created.UpdatedAt, rewrites: false, []) with { Started = run }, CancellationToken.None);
        await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync([Text("makes the activation step down")]));

        await session.EndAsync(purge: false);

        Assert.Equal(RunStatus.Lost, (await cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId)).Status);
    }

    private async Task EndedAsync(string accountId, RunRecord run)
    {
        var sandbox = cluster.Grains.GetGrain<IComputeGrain>(SandboxKey.For(accountId, run.SandboxId));
        while (!(await sandbox.WaitAsync(run.RunId, TimeSpan.FromSeconds(1))).Closed)
        {
        }
    }
}

/// <inheritdoc/>
[Collection(nameof(GrainCluster))]
public sealed class SqliteSessionGrainTests(GrainCluster cluster) : SessionGrainTests(cluster);

/// <inheritdoc/>
[Collection(nameof(PostgresGrainCluster))]
public sealed class PostgresSessionGrainTests(PostgresGrainCluster cluster) : SessionGrainTests(cluster);
