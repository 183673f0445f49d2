using System.Collections.Concurrent;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Sessions;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Silo.Storage;
using Cerver.Tests.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Computes;

/// <summary>Sandboxes and their sessions when something fails between them: nothing is left over and nobody is left waiting.</summary>
public sealed class SandboxFaultTests(SandboxFaultTests.Fixture fixture) : IClassFixture<SandboxFaultTests.Fixture>
{
    private readonly GrainCluster _cluster = fixture.Cluster;

    [Fact]
    public async Task A_run_that_nobody_knows_is_closed_when_the_sandbox_asks_and_one_that_goes_on_is_not()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;
        var known = (await session.StartRunAsync(Run("sleep"))).Value;
        var current = (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value;
        var forgotten = known with { RunId = Ids.NewRun(TimeProvider.System) };
        await _cluster.Services.GetRequiredService<ISessionStore>().CommitAsync(
            SessionChange.From(current, current.UpdatedAt, rewrites: false, []) with { Started = forgotten }, CancellationToken.None);
        await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync([Text("makes the activation step down")]));
        await session.CheckIdleAsync(created.SandboxId!, []);
        Assert.Equal(RunStatus.Running, (await _cluster.Recall.GetRunAsync(accountId, sessionId, forgotten.RunId)).Status);

        fixture.Time.Advance(TimeSpan.FromMinutes(2));

        await UntilAsync(async () => (await _cluster.Recall.GetRunAsync(accountId, sessionId, forgotten.RunId)).Status == RunStatus.Lost);
        Assert.Equal(RunStatus.Running, (await _cluster.Recall.GetRunAsync(accountId, sessionId, known.RunId)).Status);
        var sandbox = _cluster.Provider.Sandbox(created.SandboxId!);
        Assert.False(sandbox.Closed.IsCompleted);
        (await sandbox.NextAsync()).End(0);
        await sandbox.Closed.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(RunStatus.Exited, (await _cluster.Recall.GetRunAsync(accountId, sessionId, known.RunId)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pause_that_cannot_be_noted_changes_nothing_and_the_next_one_succeeds(bool isStoredAllTheSame)
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = (await session.CreateAsync(Request(requirements: """{"timeout_minutes":43200}"""))).Value;
        var run = (await session.StartRunAsync(Run("sleep"))).Value;
        var compute = Compute(accountId, created.SandboxId!);
        fixture.Failing[compute.GetGrainId()] = isStoredAllTheSame;

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.PauseAsync());
        var program = await _cluster.Provider.Sandbox(created.SandboxId!).NextAsync();
        program.Print("still here");
        program.End(0);
        await UntilAsync(async () => (await _cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId)).Status != RunStatus.Running);

        Assert.Equal(CerverError.StorageUnavailable, refusal.Code);
        Assert.Equal(RunStatus.Exited, (await _cluster.Recall.GetRunAsync(accountId, sessionId, run.RunId)).Status);
        Assert.True(await compute.IsUpAsync());
        Assert.Equal(SessionStatus.Running, (await _cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Session.Status);
        fixture.Failing.Clear();
        Assert.Equal(SessionStatus.Idle, (await session.PauseAsync()).Value.Status);
        Assert.False(await compute.IsUpAsync());
        await session.EndAsync(purge: false);
        Assert.Contains(created.SandboxId!, _cluster.Provider.Removed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_attachment_that_failed_leaves_neither_state_nor_a_reminder(bool isChange)
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        if (isChange)
        {
            await session.CreateAsync(Request(ComputeChoice.None));
        }

        _cluster.Provider.Refused.Clear();
        _cluster.Provider.Refusal = "Full.";
        var refusal = await Assert.ThrowsAsync<CerverException>(
            async () => await (isChange ? session.ChangeComputeAsync(ComputeChoice.Any) : session.CreateAsync(Request())));
        _cluster.Provider.Refusal = null;

        var sandboxId = Assert.Single(_cluster.Provider.Refused);
        Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
        Assert.Contains(sandboxId, _cluster.Provider.Removed);
        Assert.Null(await ReminderAsync(accountId, sandboxId));
        var late = await Assert.ThrowsAsync<CerverException>(() => Compute(accountId, sandboxId).StartAsync(new("run_x", "true", SandboxRuntime.Shell, TimeSpan.FromSeconds(1), [])));
        Assert.Equal("The sandbox was released.", late.Message);
    }

    [Fact]
    public async Task An_attachment_that_could_not_be_stored_leaves_no_reminder()
    {
        var (session, accountId, _) = _cluster.NewSession();
        GrainId? failed = null;
        fixture.Fails = grain =>
        {
            failed = grain;
            return true;
        };

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.CreateAsync(Request()));
        fixture.Fails = null;

        Assert.Equal(CerverError.StorageUnavailable, refusal.Code);
        Assert.Null(await _cluster.Services.GetRequiredService<IReminderTable>().ReadRow(failed!.Value, "files"));
    }

    private IComputeGrain Compute(string accountId, string sandboxId) => _cluster.Grains.GetGrain<IComputeGrain>(SandboxKey.For(accountId, sandboxId));

    private Task<ReminderEntry?> ReminderAsync(string accountId, string sandboxId) =>
        _cluster.Services.GetRequiredService<IReminderTable>().ReadRow(Compute(accountId, sandboxId).GetGrainId(), "files")!;

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await holds())
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A silo whose grain state fails when a test says so, with a time-out of a second.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        public Fixture() => Cluster = new()
        {
            Time = Time,
            Configure = silo =>
            {
                silo.Services.Configure<SandboxLifetimeOptions>(options => options.IdleTimeout = TimeSpan.FromSeconds(1));
                silo.Services.AddKeyedSingleton<IGrainStorage>(
                    ComputeGrain.StorageName,
                    (services, _) => new FailingStorage(
                        services.GetRequiredKeyedService<IGrainStorage>(GuardedGrainStorage.InnerName(ComputeGrain.StorageName)), this));
            },
        };

        /// <summary>
        /// Grains whose state cannot be written; true for those whose state is written although it is said that it was not.
        /// </summary>
        internal ConcurrentDictionary<GrainId, bool> Failing { get; } = new();

        /// <summary>Whether a grain's state cannot be written.</summary>
        internal Func<GrainId, bool>? Fails { get; set; }

        internal ShiftedTime Time { get; } = new();

        internal GrainCluster Cluster { get; }

        public Task InitializeAsync() => Cluster.InitializeAsync();

        public Task DisposeAsync() => Cluster.DisposeAsync();
    }

    private sealed class FailingStorage(IGrainStorage inner, Fixture fixture) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ReadStateAsync(stateName, grainId, grainState);

        public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var failing = fixture.Failing.TryGetValue(grainId, out var isStoredAllTheSame);
            if (failing && isStoredAllTheSame)
            {
                // What the grain knows of it stays as it was.
                await inner.WriteStateAsync(stateName, grainId, new GrainState<T>(grainState.State, grainState.ETag) { RecordExists = grainState.RecordExists });
            }

            if (failing || fixture.Fails?.Invoke(grainId) == true)
            {
                throw new CerverException(CerverError.StorageUnavailable, "The disk is full.");
            }

            await inner.WriteStateAsync(stateName, grainId, grainState);
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ClearStateAsync(stateName, grainId, grainState);
    }
}
