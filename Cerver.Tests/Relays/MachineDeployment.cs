using Cerver.Bench.Gateways;
using Npgsql;
using ClusterMember = Cerver.Bench.Gateways.ClusterMember;

namespace Cerver.Tests.Relays;

/// <summary>A cluster to which machines dial in: PostgreSQL, two silos and two front doors, each a process. Tests that do harm to it mend it.</summary>
public sealed class MachineDeployment : IAsyncLifetime
{
    private ClusterProcesses _cluster = null!;

    /// <summary>How many silos there are.</summary>
    internal const int Silos = 2;

    public async Task InitializeAsync() => _cluster = await ClusterProcesses.StartAsync(
        new(Silos, FrontDoors: 2), Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll"), Repository.Find(), logs: null, static (_, _) => { }, CancellationToken.None);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>The address of a front door.</summary>
    internal Uri FrontDoor(int number) => new($"http://{_cluster.FrontDoors[number].Endpoint}");

    /// <summary>A caller of the second front door. Machines dial in to the first one, unless a test says otherwise.</summary>
    internal SessionCaller Call(int frontDoor = 1) => new(FrontDoor(frontDoor), _cluster.Token);

    /// <summary>A machine that is ready.</summary>
    internal async Task<LentMachine> LendAsync()
    {
        var machine = await LaunchAsync();
        using var caller = Call();
        await caller.ReadyAsync(machine);
        return machine;
    }

    /// <summary>A machine that is about to dial in.</summary>
    /// <param name="computeId">Whose identity it has; that of nobody else when it is not given.</param>
    /// <param name="token">What it dials in with; the token of the account when it is not given.</param>
    internal Task<LentMachine> LaunchAsync(string? computeId = null, string? token = null) => LentMachine.LaunchAsync(FrontDoor(0), token ?? _cluster.Token, computeId);

    /// <summary>Runs a statement in the database.</summary>
    internal async Task ExecuteAsync(string statement)
    {
        await using var database = NpgsqlDataSource.Create(_cluster.Connection);
        await using var command = database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Whether a silo has told something in its log, lately.</summary>
    internal bool HasSaid(string words) => _cluster.Silos.Any(silo => silo.LastWords.Contains(words, StringComparison.Ordinal));

    /// <summary>Kills a silo with SIGKILL.</summary>
    /// <returns>Starts it again.</returns>
    internal Task<IAsyncDisposable> KillSiloAsync(int number) => KillAsync(_cluster.Silos[number]);

    /// <summary>Kills a front door with SIGKILL.</summary>
    /// <returns>Starts it again.</returns>
    internal Task<IAsyncDisposable> KillFrontDoorAsync(int number) => KillAsync(_cluster.FrontDoors[number]);

    private async Task<IAsyncDisposable> KillAsync(ClusterMember member)
    {
        await member.KillAsync(CancellationToken.None);
        return new Killed(_cluster, member);
    }

    private sealed class Killed(ClusterProcesses cluster, ClusterMember member) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await member.StartAgainAsync();
            await cluster.WaitUntilReadyAsync(CancellationToken.None);
        }
    }
}

/// <summary>All tests of machines in one cluster, one after the other.</summary>
[CollectionDefinition(nameof(MachineDeployment))]
public sealed class MachineDeploymentCollection : ICollectionFixture<MachineDeployment>;
