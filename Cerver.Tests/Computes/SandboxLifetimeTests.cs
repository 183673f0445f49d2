using System.Collections.Concurrent;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Sessions;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Tests.Sessions;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Computes;

/// <summary>Sandboxes that nobody uses, with a time-out of a second and a clock that is set forward.</summary>
public sealed class SandboxLifetimeTests(SandboxLifetimeTests.Fixture fixture) : IClassFixture<SandboxLifetimeTests.Fixture>
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly ShiftedTime _time = fixture.Time;
    private readonly GrainCluster _cluster = fixture.Cluster;

    [Fact]
    public async Task A_sandbox_goes_down_when_nothing_happens_and_its_session_is_idle_as_of_its_last_activity()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;

        await _cluster.Provider.Sandbox(created.SandboxId!).Closed;

        var record = await SettledAsync(session, accountId, sessionId);
        Assert.Equal((SessionStatus.Idle, created.SandboxId, created.UpdatedAt), (record.Status, record.SandboxId, record.UpdatedAt));
        Assert.Equal(0, record.TranscriptTotal);
        Assert.DoesNotContain(created.SandboxId!, _cluster.Provider.Removed);
    }

    [Fact]
    public async Task The_time_out_that_a_session_asks_for_is_its_own()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":90}"""))).Value;

        _time.Advance(Hour);
        var left = await session.CheckIdleAsync(created.SandboxId!, []);

        Assert.InRange(left, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(30));
        Assert.Equal(SessionStatus.Running, (await ReadAsync(accountId, sessionId)).Status);
        _time.Advance(Hour);
        Assert.Equal(TimeSpan.Zero, await session.CheckIdleAsync(created.SandboxId!, []));
        Assert.Equal(SessionStatus.Idle, (await ReadAsync(accountId, sessionId)).Status);
    }

    [Fact]
    public async Task A_run_that_goes_on_keeps_the_sandbox_up_and_its_end_is_activity()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":60}"""))).Value;
        var run = (await session.StartRunAsync(Run("sleep"))).Value;

        _time.Advance(Hour * 24);
        var during = await session.CheckIdleAsync(created.SandboxId!, [run.RunId]);
        (await _cluster.Provider.Sandbox(created.SandboxId!).NextAsync()).End(0);
        await EndedAsync(accountId, run);
        var after = await session.CheckIdleAsync(created.SandboxId!, []);

        Assert.Equal(Hour, during);
        Assert.InRange(after, Hour - TimeSpan.FromMinutes(1), Hour);
        Assert.Equal(SessionStatus.Running, (await ReadAsync(accountId, sessionId)).Status);
    }

    [Theory]
    [InlineData("append", true)]
    [InlineData("input", true)]
    [InlineData("rename", true)]
    [InlineData("resume", true)]
    [InlineData("files", true)]
    [InlineData("look for files", false)]
    [InlineData("read", false)]
    [InlineData("list", false)]
    public async Task Writing_is_activity_and_looking_is_not(string what, bool isActivity)
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":60}"""))).Value;
        _time.Advance(Hour / 2);

        await (what switch
        {
            "append" => session.AppendAsync([Text("still here")]),
            "input" => session.InputAsync(Text("go on")),
            "rename" => session.UpdateAsync(new("another name", Metadata: null)),
            "resume" => session.ResumeAsync(compute: null),
            "files" => session.TouchFilesAsync(created.SandboxId!),
            "look for files" => session.GetSandboxAsync(),
            "read" => _cluster.Recall.ReadSessionAsync(accountId, sessionId, new()),
            _ => (Task)_cluster.Recall.ListSessionsAsync(accountId, new(Limit: 10)),
        });

        var left = await session.CheckIdleAsync(created.SandboxId!, []);
        Assert.Equal(isActivity, left > Hour * 0.75);
    }

    [Fact]
    public async Task A_run_that_comes_while_the_sandbox_is_taken_down_brings_it_up_again()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":60}"""))).Value;
        var closing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayClose = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster.Provider.Closing = sandboxId =>
        {
            if (sandboxId != created.SandboxId)
            {
                return Task.CompletedTask;
            }

            closing.TrySetResult();
            return mayClose.Task;
        };
        _time.Advance(Hour * 2);
        var question = session.CheckIdleAsync(created.SandboxId!, []);
        await closing.Task;

        var starting = session.StartRunAsync(Run("late"));
        mayClose.SetResult();
        await question;
        _cluster.Provider.Closing = null;
        var run = (await starting).Value;
        var program = await _cluster.Provider.Sandbox(created.SandboxId!).NextAsync();
        program.Print("in time\n");
        program.End(0);
        await EndedAsync(accountId, run);

        var ended = await _cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId);
        Assert.Equal((RunStatus.Exited, 0), (ended.Status, ended.ExitCode));
    }

    [Fact]
    public async Task A_sandbox_that_came_up_again_goes_down_again()
    {
        var (session, _, _) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var first = _cluster.Provider.Sandbox(created.SandboxId!);
        await first.Closed;

        await session.ResumeAsync(compute: null);

        var second = _cluster.Provider.Sandbox(created.SandboxId!);
        Assert.NotSame(first, second);
        await second.Closed;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_question_that_failed_is_asked_again(bool isMistake)
    {
        var failed = new ConcurrentBag<string>();
        _cluster.Provider.Closing = sandboxId =>
        {
            failed.Add(sandboxId);
            throw isMistake ? new InvalidOperationException("A mistake.") : new CerverException(CerverError.ProviderUnavailable, "Not now.");
        };
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await ReadAsync(accountId, sessionId)).Status != SessionStatus.Idle)
        {
            limit.Token.ThrowIfCancellationRequested();
        }

        _cluster.Provider.Closing = null;
        Assert.Contains(created.SandboxId!, failed);
        Assert.True(_cluster.Provider.Sandbox(created.SandboxId!).Closed.IsCompleted);
    }

    [Fact]
    public async Task A_sandbox_that_is_not_the_sessions_is_released()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var stray = Ids.NewSandbox(TimeProvider.System);
        await Compute(accountId, stray).AttachAsync(new(sessionId, "scripted", new()));

        await _cluster.Provider.RemovedAsync(stray);

        Assert.True(_cluster.Provider.Sandbox(stray).Closed.IsCompleted);
    }

    [Fact]
    public async Task A_session_whose_copy_is_old_releases_nothing_that_the_stored_one_has()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":60}"""))).Value;
        var other = Ids.NewSandbox(TimeProvider.System);
        var store = _cluster.Services.GetRequiredService<ISessionStore>();
        await store.CommitAsync(SessionChange.From(created with { SandboxId = other }, created.UpdatedAt, rewrites: true, []), CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.CheckIdleAsync(other, []));
        var left = await session.CheckIdleAsync(other, []);

        Assert.Equal(CerverError.Fenced, refusal.Code);
        Assert.True(left > TimeSpan.Zero);
        Assert.DoesNotContain(other, _cluster.Provider.Removed);
    }

    [Fact]
    public async Task An_activation_stays_as_long_as_its_sandbox_is_up()
    {
        var (session, accountId, _) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":60}"""))).Value;
        var management = _cluster.Grains.GetGrain<IManagementGrain>(0);
        var compute = Compute(accountId, created.SandboxId!);

        await management.ForceActivationCollection(TimeSpan.Zero);
        var whileUp = await management.GetActivationAddress(compute);
        await session.PauseAsync();
        await management.ForceActivationCollection(TimeSpan.Zero);

        Assert.NotNull(whileUp);
        Assert.Null(await management.GetActivationAddress(compute));
    }

    [Fact]
    public async Task Files_are_kept_for_the_retention_and_then_removed_and_the_session_begins_anew_with_none()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        await session.AppendAsync([Text("kept for ever")]);
        await session.PauseAsync();

        // What is put among them keeps all of them.
        _time.Advance(TimeSpan.FromDays(6.9));
        await session.TouchFilesAsync(created.SandboxId!);
        _time.Advance(TimeSpan.FromDays(6.9));
        await RemindAsync(accountId, created.SandboxId!);
        var before = _cluster.Provider.Removed.Contains(created.SandboxId!);
        _time.Advance(TimeSpan.FromDays(0.2));
        await RemindAsync(accountId, created.SandboxId!);

        Assert.False(before);
        Assert.Contains(created.SandboxId!, _cluster.Provider.Removed);
        Assert.Null(await ReminderAsync(accountId, created.SandboxId!));
        var record = await ReadAsync(accountId, sessionId);
        Assert.Equal((SessionStatus.Idle, created.SandboxId, 1), (record.Status, record.SandboxId, record.TranscriptTotal));
        Assert.Equal(SessionStatus.Running, (await session.ResumeAsync(compute: null)).Value.Status);
        Assert.NotNull(await ReminderAsync(accountId, created.SandboxId!));
    }

    [Fact]
    public async Task A_reminder_does_nothing_to_a_sandbox_that_is_up_or_was_used_since()
    {
        var (session, accountId, _) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":43200}"""))).Value;

        _time.Advance(TimeSpan.FromDays(8));
        await RemindAsync(accountId, created.SandboxId!);
        var whileUp = _cluster.Provider.Sandbox(created.SandboxId!).Closed.IsCompleted;
        await session.PauseAsync();
        await RemindAsync(accountId, created.SandboxId!);

        Assert.False(whileUp);
        Assert.DoesNotContain(created.SandboxId!, _cluster.Provider.Removed);
        var reminder = await ReminderAsync(accountId, created.SandboxId!);
        Assert.InRange(reminder!.StartAt, _time.GetUtcNow().UtcDateTime.AddDays(6.9), _time.GetUtcNow().UtcDateTime.AddDays(7));
    }

    [Fact]
    public async Task A_sandbox_that_was_left_alone_for_longer_than_the_retention_keeps_its_files_from_when_it_went_down()
    {
        var (session, accountId, _) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":43200}"""))).Value;
        _time.Advance(TimeSpan.FromDays(30));
        await session.CheckIdleAsync(created.SandboxId!, []);

        await RemindAsync(accountId, created.SandboxId!);

        Assert.DoesNotContain(created.SandboxId!, _cluster.Provider.Removed);
        _time.Advance(TimeSpan.FromDays(7));
        await RemindAsync(accountId, created.SandboxId!);
        Assert.Contains(created.SandboxId!, _cluster.Provider.Removed);
    }

    [Fact]
    public async Task A_session_that_ends_takes_its_reminder_with_it()
    {
        var (session, accountId, _) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var before = await ReminderAsync(accountId, created.SandboxId!);

        await session.EndAsync(purge: false);

        Assert.NotNull(before);
        Assert.Null(await ReminderAsync(accountId, created.SandboxId!));
    }

    private IComputeGrain Compute(string accountId, string sandboxId) => _cluster.Grains.GetGrain<IComputeGrain>(SandboxKey.For(accountId, sandboxId));

    private Task RemindAsync(string accountId, string sandboxId) =>
        Compute(accountId, sandboxId).AsReference<IRemindable>().ReceiveReminder("files", default);

    private Task<ReminderEntry?> ReminderAsync(string accountId, string sandboxId) =>
        _cluster.Services.GetRequiredService<IReminderTable>().ReadRow(Compute(accountId, sandboxId).GetGrainId(), "files")!;

    private async Task<SessionRecord> ReadAsync(string accountId, string sessionId) =>
        (await _cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Session;

    /// <summary>The record after whatever the session is at now.</summary>
    private async Task<SessionRecord> SettledAsync(ISessionGrain session, string accountId, string sessionId)
    {
        await session.SandboxLostAsync("sbx_none");
        return await ReadAsync(accountId, sessionId);
    }

    private async Task EndedAsync(string accountId, RunRecord run)
    {
        while (!(await Compute(accountId, run.SandboxId).WaitAsync(run.RunId, TimeSpan.FromSeconds(1))).Closed)
        {
        }
    }

    /// <summary>One silo for all of them. The clock only ever goes forward.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        public Fixture() => Cluster = new()
        {
            Time = Time,
            Configure = silo => silo.Services.Configure<SandboxLifetimeOptions>(options => options.IdleTimeout = TimeSpan.FromSeconds(1)),
        };

        internal ShiftedTime Time { get; } = new();

        internal GrainCluster Cluster { get; }

        public Task InitializeAsync() => Cluster.InitializeAsync();

        public Task DisposeAsync() => Cluster.DisposeAsync();
    }
}
