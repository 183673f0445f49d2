using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;
using ClusterMember = Cerver.Bench.Gateways.ClusterMember;

namespace Cerver.Bench.Faults;

/// <summary>The things that are done to a cluster. One at a time, and at most one silo is down.</summary>
internal sealed class ClusterFaults(ClusterProcesses cluster)
{
    private const int MaxDownMilliseconds = 5_000;

    /// <summary>Of a silo that finds out that it was given up: SIGABRT, as docs/operations.md has it.</summary>
    private const int FencedExitCode = 134;

    /// <summary>Long enough for the others to give it up, and for its runs to be closed.</summary>
    private static readonly TimeSpan FreezeTime = TimeSpan.FromSeconds(20);

    /// <summary>A silo that wakes up finds out about itself with the next look at who is a member, at most five seconds later, and then has to leave.</summary>
    private static readonly TimeSpan FenceLimit = TimeSpan.FromSeconds(15);

    /// <summary>What whoever supervises processes gives them, such as a node that is drained.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private volatile ClusterMember? _frozen;

    /// <summary>What can be done to a cluster that goes on afterwards.</summary>
    public static ImmutableArray<FaultKind> Kinds { get; } =
    [
        FaultKind.SiloKill, FaultKind.FrontDoorKill, FaultKind.SiloHang, FaultKind.DatabaseRestart, FaultKind.DatabaseCrash, FaultKind.SiloStop,
        FaultKind.RollingRestart,
    ];

    /// <summary>The silo that is or was frozen and has not been replaced yet, or null.</summary>
    public ClusterMember? Frozen => _frozen;

    /// <summary>Does one thing and waits until everything is ready again.</summary>
    /// <param name="kind">What.</param>
    /// <param name="history">Where it is written down.</param>
    /// <param name="random">Says to whom, and for how long.</param>
    /// <param name="found">Gets what is wrong and shows in no answer.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">Something does not become ready again.</exception>
    public async Task<Fault> CommitAsync(FaultKind kind, HistoryRecorder history, Random random, List<string> found, CancellationToken cancellationToken)
    {
        var struck = history.Now;
        var deed = kind switch
        {
            FaultKind.SiloKill => await KillAsync(Pick(cluster.Silos, random), history, random, cancellationToken),
            FaultKind.FrontDoorKill => await KillAsync(Pick(cluster.FrontDoors, random), history, random, cancellationToken),
            FaultKind.SiloHang => await HangAsync(Pick(cluster.Silos, random), history, found, cancellationToken),
            FaultKind.DatabaseRestart => await RestartDatabaseAsync("a restart of the database", cluster.Postgres.StopAsync, history, cancellationToken),
            FaultKind.DatabaseCrash => await RestartDatabaseAsync("a crash of the database", cluster.Postgres.CrashAsync, history, cancellationToken),
            FaultKind.SiloStop => await StopAsync([Pick(cluster.Silos, random)], found, cancellationToken),
            FaultKind.RollingRestart => await StopAsync(cluster.Silos, found, cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "This is not done to a cluster."),
        };
        await cluster.WaitUntilReadyAsync(cancellationToken);
        var fault = new Fault(kind, deed.What, struck, deed.Healed ?? struck, history.Now, deed.Host, deed.Returned);
        history.Add(fault);
        return fault;
    }

    /// <summary>Kills everything at once and starts it again.</summary>
    /// <param name="history">Where it is written down.</param>
    /// <param name="whenGone">Is called when only the database is there.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">Something does not become ready again.</exception>
    public async Task LosePowerAsync(HistoryRecorder history, Func<Task> whenGone, CancellationToken cancellationToken)
    {
        var struck = history.Now;
        await Task.WhenAll(cluster.Members.Select(member => member.KillAsync(cancellationToken)).Append(cluster.Postgres.CrashAsync(cancellationToken)));
        await cluster.Postgres.StartAgainAsync(cancellationToken);
        await whenGone();
        await Task.WhenAll(cluster.Members.Select(member => member.StartAgainAsync()));
        await cluster.WaitUntilReadyAsync(cancellationToken);
        history.Add(new Fault(FaultKind.PowerLoss, "a loss of power", struck, history.Now, history.Now));
    }

    private async Task<Deed> KillAsync(
        ClusterMember member, HistoryRecorder history, Random random, CancellationToken cancellationToken)
    {
        await member.KillAsync(cancellationToken);
        await Task.Delay(random.Next(MaxDownMilliseconds), cancellationToken);
        var returned = history.Now;
        await member.StartAgainAsync();
        return new($"a kill -9 of {member.Name}") { Host = cluster.HostOf(member), Returned = returned };
    }

    private async Task<Deed> HangAsync(
        ClusterMember silo, HistoryRecorder history, List<string> found, CancellationToken cancellationToken)
    {
        _frozen = silo;
        var gone = silo.Gone;
        silo.Freeze();
        await Task.Delay(FreezeTime, cancellationToken);
        var returned = history.Now;
        silo.Thaw();
        try
        {
            if (await gone.WaitAsync(FenceLimit, cancellationToken) is var exitCode && exitCode != FencedExitCode)
            {
                found.Add($"{silo.Name} was frozen until it was given up and ended with exit code {exitCode}, and not with {FencedExitCode}. {silo.LastWords}");
            }

            await silo.WaitUntilReadyAsync(cancellationToken);
        }
        catch (TimeoutException)
        {
            found.Add($"{silo.Name} was frozen for {FreezeTime.TotalSeconds:0} s and goes on as if nothing had been, {FenceLimit.TotalSeconds:0} s later. {silo.LastWords}");
        }

        _frozen = null;
        return new($"a hang of {silo.Name}") { Host = cluster.HostOf(silo), Returned = returned };
    }

    private async Task<Deed> RestartDatabaseAsync(
        string what, Func<CancellationToken, Task> stop, HistoryRecorder history, CancellationToken cancellationToken)
    {
        await stop(cancellationToken);
        await cluster.Postgres.StartAgainAsync(cancellationToken);
        return new(what) { Healed = history.Now };
    }

    private static async Task<Deed> StopAsync(ImmutableArray<ClusterMember> silos, List<string> found, CancellationToken cancellationToken)
    {
        foreach (var silo in silos)
        {
            var stop = await silo.StopAsync(cancellationToken);
            if (stop.ExitCode != 0 || stop.Took > StopLimit)
            {
                found.Add($"{silo.Name} was asked to stop and did after {stop.Took.TotalSeconds:0.0} s with exit code {stop.ExitCode}. {silo.LastWords}");
            }

            await silo.StartAgainAsync();
            await silo.WaitUntilReadyAsync(cancellationToken);
        }

        return new(silos.Length == 1 ? $"a stop of {silos[0].Name}" : "a rolling restart");
    }

    private static ClusterMember Pick(ImmutableArray<ClusterMember> members, Random random) => members[random.Next(members.Length)];

    /// <summary>What was done.</summary>
    /// <param name="What">As the end of "after …".</param>
    private sealed record Deed(string What)
    {
        /// <summary>From when on there was all that is needed to serve; null when there always was.</summary>
        public TimeSpan? Healed { get; init; }

        /// <summary>The host of the one silo that it was done to, or null.</summary>
        public string? Host { get; init; }

        /// <summary>When that silo was started again or went on, or null.</summary>
        public TimeSpan? Returned { get; init; }
    }
}
