using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Computes.Local;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Clustered;

/// <summary>Sandboxes that belong to a silo, while the sessions that have them go wherever they like.</summary>
public sealed class HostTests : IAsyncLifetime
{
    private const int Sessions = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private PostgresTestDatabase? _database;
    private SiloCluster? _cluster;

    private SiloCluster Cluster => _cluster!;

    public async Task InitializeAsync()
    {
        _database = await PostgresTestDatabase.CreateAsync();
        _cluster = await SiloCluster.StartAsync(_database, silos: 3);
    }

    public async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task Every_sandbox_is_on_the_silo_that_its_id_names_and_all_silos_get_some()
    {
        var created = await CreateAsync(Sessions);

        Assert.All(created, session => Assert.Contains(session.SandboxId!, Cluster.Provider(Ids.HostOfSandbox(session.SandboxId!)).Opened));
        Assert.True(created.Select(session => Ids.HostOfSandbox(session.SandboxId!)).Distinct(StringComparer.Ordinal).Count() > 1);
        var computes = await Cluster.Client.GetGrain<Accounts.IAccountGrain>(Accounts.AccountKey.For("a")).ListComputesAsync();
        var compute = Assert.Single(computes);
        Assert.Equal(Cluster.Silos.Select(SiloCluster.HostOf).Order(StringComparer.Ordinal), compute.Hosts.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_runs_of_a_silo_that_died_are_closed_from_another_and_its_sessions_go_on_when_it_is_back()
    {
        var session = (await CreateAsync(1))[0];
        var grain = Cluster.Session(session.AccountId, session.SessionId);
        var run = (await grain.StartRunAsync(Run("sleep"))).Value;
        var silo = Cluster.SiloOf(session.SandboxId!);

        await Cluster.KillAsync(silo);
        var away = await EventuallyAsync(() => RefusedAsync(grain));

        Assert.Equal(CerverError.HostUnavailable, away.Code);
        var recall = Cluster.Client.GetGrain<IRecallGrain>(0);
        Assert.Equal(RunStatus.Lost, (await EndedAsync(session, run.RunId)).Status);
        var left = await grain.AppendAsync(new([Text("the transcript goes on")]));
        Assert.Equal(3, left.Value);
        Assert.Equal(SessionStatus.Idle, (await recall.ReadSessionAsync(session.AccountId, session.SessionId, new(Tail: 0))).Session.Status);

        await Cluster.StartAgainAsync(silo);
        var again = await EventuallyAsync(async () => (await grain.StartRunAsync(Run("true"))).Value);

        Assert.Equal(session.SandboxId, again.SandboxId);
        Assert.Contains(session.SandboxId!, Cluster.Provider(SiloCluster.HostOf(silo)).Opened);
    }

    [Fact]
    public async Task A_sandbox_whose_silo_is_away_is_released_with_its_session_and_its_files_are_left_to_the_silo()
    {
        var session = (await CreateAsync(1))[0];
        var silo = Cluster.SiloOf(session.SandboxId!);
        var host = SiloCluster.HostOf(silo);
        await Cluster.KillAsync(silo);

        await EventuallyAsync(async () => (await Cluster.Session(session.AccountId, session.SessionId).EndAsync(purge: false)).Value);
        Cluster.Provider(host).Held.TryAdd(session.SandboxId!, value: true);
        var back = await Cluster.StartAgainAsync(silo);
        Cluster.Provider(host).Held.TryAdd(session.SandboxId!, value: true);
        await EventuallyAsync(async () =>
        {
            await Cluster.Client.GetGrain<IComputeHostGrain>(ComputeHostKey.For(host)).SweepAsync();
            return true;
        });

        // It is younger than an hour, so it is left alone for now: a session could still be about to get it.
        Assert.Contains(session.SandboxId!, Cluster.Provider(host).Held.Keys);
        await back.ServiceProvider.GetRequiredService<Cerver.Grains.Computes.SandboxSweep>()
            .RunAtStartAsync(DateTimeOffset.MaxValue, CancellationToken.None);
        Assert.DoesNotContain(session.SandboxId!, Cluster.Provider(host).Held.Keys);
    }

    [Fact]
    public async Task A_silo_that_is_about_to_leave_lets_runs_end_and_none_begin()
    {
        var session = (await CreateAsync(1))[0];
        var grain = Cluster.Session(session.AccountId, session.SessionId);
        await grain.StartRunAsync(Run("long"));
        var process = await Cluster.Provider(Ids.HostOfSandbox(session.SandboxId!)).Sandbox(session.SandboxId!).NextAsync();

        var left = Cluster.SiloOf(session.SandboxId!).ServiceProvider.GetRequiredService<SandboxDrain>().LeaveAsync();
        var refused = await Assert.ThrowsAsync<CerverException>(() => grain.StartRunAsync(Run("another")));
        Assert.False(left.IsCompleted);
        process.End(exitCode: 0);
        await left.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(CerverError.HostUnavailable, refused.Code);
        var runs = await Cluster.Client.GetGrain<IRecallGrain>(0).ListRunsAsync(session.AccountId, session.SessionId, before: null, limit: 10);
        Assert.Contains(runs, run => run.Status == RunStatus.Exited);
    }

    [Fact]
    public async Task A_silo_that_leaves_takes_no_sandbox_of_another_with_it()
    {
        var leaving = Cluster.Silos[^1];
        var created = (await CreateAsync(Sessions * 3)).Where(session => Ids.HostOfSandbox(session.SandboxId!) != SiloCluster.HostOf(leaving)).ToList();
        var runs = new List<(SessionRecord Session, RunRecord Run)>();
        foreach (var session in created)
        {
            runs.Add((session, (await Cluster.Session(session.AccountId, session.SessionId).StartRunAsync(Run("sleep"))).Value));
        }

        await Cluster.StopAsync(leaving);

        foreach (var (session, run) in runs)
        {
            var sandbox = Cluster.Provider(Ids.HostOfSandbox(session.SandboxId!)).Sandbox(session.SandboxId!);
            (await sandbox.NextAsync()).End(exitCode: 0);
            Assert.Equal(RunStatus.Exited, (await EndedAsync(session, run.RunId)).Status);
        }
    }

    [Fact]
    public async Task Files_are_on_the_silo_that_has_the_sandbox_and_refused_while_it_is_away()
    {
        var root = Directory.CreateTempSubdirectory("cerver-files-").FullName;
        try
        {
            var session = (await CreateAsync(1))[0];
            Directory.CreateDirectory(Path.Combine(root, session.SandboxId!));
            using var files = new LocalSandboxFiles(new SandboxWorkspaces(root, owner: null), new LocalComputeOptions(), TimeProvider.System, NullLogger.Instance);
            Cluster.Provider(Ids.HostOfSandbox(session.SandboxId!)).Files = files;
            var sandbox = Cluster.Client.GetGrain<IComputeGrain>(SandboxKey.For(session.AccountId, session.SandboxId!));
            var (path, data) = (SandboxPath.Parse([.. "d/"u8, 0xff]), new byte[FileParts.MaxBytes]);
            Random.Shared.NextBytes(data);

            await sandbox.BeginFileAsync(new("upload", data.Length));
            await sandbox.WriteFileAsync(new("upload", Offset: 0, data));
            var placed = await sandbox.PlaceFileAsync(new("upload", path, data.Length));
            var part = await sandbox.ReadFileAsync(new(path, Offset: 0, FileParts.MaxBytes));
            var listing = await sandbox.ListFilesAsync(new(SandboxPath.Parse("d"u8), After: [], Limit: 1));
            await sandbox.DeleteFileAsync(new(SandboxPath.Parse("d"u8), Recursive: true));

            Assert.True(placed.IsNew);
            Assert.Equal(data, part.Data);
            Assert.Equal("FF", Convert.ToHexString(Assert.Single(listing.Entries).Name.AsSpan()));
            Assert.Empty((await sandbox.ListFilesAsync(new(SandboxPath.Root, After: [], Limit: 1))).Entries);

            await Cluster.KillAsync(Cluster.SiloOf(session.SandboxId!));
            var refused = await Assert.ThrowsAsync<CerverException>(() => KnownAsync(async () => await sandbox.ListFilesAsync(new(SandboxPath.Root, After: [], Limit: 1))));
            Assert.Equal(CerverError.HostUnavailable, refused.Code);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>A call is made again until it is known that the silo is gone.</summary>
    private static async Task<T> KnownAsync<T>(Func<Task<T>> call)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception failure) when (TimeProvider.System.GetElapsedTime(began) < Patience && failure is OrleansException or TimeoutException)
            {
                await poll.WaitForNextTickAsync();
            }
        }
    }

    /// <summary>What a call meets before all know that a silo is gone is not what is tested.</summary>
    private static async Task<T> EventuallyAsync<T>(Func<Task<T>> call)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception failure) when (TimeProvider.System.GetElapsedTime(began) < Patience
                && failure is OrleansException or TimeoutException or CerverException { Code: CerverError.Fenced or CerverError.HostUnavailable })
            {
                // The next attempt, then.
            }

            await poll.WaitForNextTickAsync();
        }
    }

    private static async Task<CerverException> RefusedAsync(ISessionGrain grain)
    {
        try
        {
            await grain.StartRunAsync(Run("true"));
            throw new InvalidOperationException("It was started.");
        }
        catch (CerverException refusal) when (refusal.Code == CerverError.HostUnavailable)
        {
            return refusal;
        }
    }

    private Task<RunRecord> EndedAsync(SessionRecord session, string runId) => EventuallyAsync(async () =>
    {
        var run = await Cluster.Client.GetGrain<IRecallGrain>(0).GetRunAsync(session.AccountId, session.SessionId, runId);
        return run.Status == RunStatus.Running ? throw new TimeoutException("It has not ended yet.") : run;
    });

    private async Task<IReadOnlyList<SessionRecord>> CreateAsync(int count)
    {
        var account = NewAccount();
        var sessions = new List<SessionRecord>();
        for (var number = 0; number < count; number++)
        {
            sessions.Add((await Cluster.Session(account, Ids.NewSession(TimeProvider.System)).CreateAsync(Request())).Value);
        }

        return sessions;
    }
}
