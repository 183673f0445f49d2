using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;
using ClusterMember = Cerver.Bench.Gateways.ClusterMember;

namespace Cerver.Bench.Faults;

/// <summary>
/// A cluster to which all kinds of things are done while clients use it. They wait for nothing: requests go on whatever happens, that is the point of a cluster.
/// </summary>
internal sealed class UnreliableCluster : ICrashTarget
{
    private const int MaxLoadMilliseconds = 1_000;

    /// <summary>Longer than anything that the cluster does for a caller who has gone, and than a silo is frozen.</summary>
    private static readonly TimeSpan LastEffect = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan CheckLimit = TimeSpan.FromSeconds(60);

    /// <summary>After this a session has had its time, with a little for those who look.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentQueue<string> _ends = [];
    private readonly Queue<FaultKind> _bag = [];
    private readonly CrashOptions _options;
    private readonly Action<string> _say;
    private ClusterProcesses? _cluster;
    private ClusterFaults? _faults;

    private UnreliableCluster(CrashOptions options, Action<string> say)
    {
        _options = options;
        _say = say;
    }

    /// <inheritdoc/>
    public ImmutableArray<Uri> Addresses => [.. Cluster.FrontDoors.Select(door => new Uri($"http://{door.Endpoint}"))];

    /// <inheritdoc/>
    public string Token => Cluster.Token;

    /// <inheritdoc/>
    public string Mark => Cluster.Mark;

    /// <summary>Modest: with as many processes as this on a machine of two processors anything more would measure the scheduler.</summary>
    public CrashLoad Load { get; } = new(
        Transcripts: 3, Sandboxes: 3, WritersPerSession: 2, RunnersPerSandbox: 2, WatchersPerSession: 1, Ease: 25,
        MaxStay: TimeSpan.FromSeconds(5), SomeStay: true, LineInterval: TimeSpan.FromMilliseconds(200));

    /// <summary>A round has one fault of each kind.</summary>
    public int CyclesPerRound => _options.Kinds.Length;

    /// <inheritdoc/>
    public TimeSpan CycleLimit { get; } = TimeSpan.FromSeconds(120);

    /// <inheritdoc/>
    public Task Up => Task.CompletedTask;

    private ClusterProcesses Cluster => _cluster ?? throw new InvalidOperationException("The cluster has not been started.");

    private ClusterFaults Faults => _faults ?? throw new InvalidOperationException("The cluster has not been started.");

    /// <summary>Starts a cluster over an empty database and waits until all of it is ready.</summary>
    /// <param name="size">How large.</param>
    /// <param name="options">What is to be done to it, and where its processes print to.</param>
    /// <param name="gatewayPath">The main assembly of the gateway's build.</param>
    /// <param name="repository">Where its data goes.</param>
    /// <param name="say">Is told what was done, a line each.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">Something does not become ready.</exception>
    public static async Task<UnreliableCluster> StartAsync(
        ClusterSize size, CrashOptions options, string gatewayPath, Repository repository, Action<string> say, CancellationToken cancellationToken)
    {
        var target = new UnreliableCluster(options, say);
        target._cluster = await ClusterProcesses.StartAsync(size, gatewayPath, repository, options.LogPath, target.NoteEnd, cancellationToken);
        target._faults = new(target._cluster);
        return target;
    }

    /// <inheritdoc/>
    public Func<CancellationToken, Task> WatchReplacement() => static cancellationToken => Task.Delay(LastEffect, cancellationToken);

    /// <inheritdoc/>
    public void NoteUse()
    {
        // Faults strike a cluster whether it is used or not.
    }

    /// <summary>Does one thing. Every kind has its turn before one comes again, in an order of its own each time.</summary>
    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> StrikeAsync(HistoryRecorder history, Random random, CancellationToken cancellationToken)
    {
        await Task.Delay(random.Next(MaxLoadMilliseconds), cancellationToken);
        if (_bag.Count == 0)
        {
            var kinds = _options.Kinds.ToArray();
            random.Shuffle(kinds);
            Array.ForEach(kinds, _bag.Enqueue);
        }

        var found = new List<string>();
        var fault = await Faults.CommitAsync(_bag.Dequeue(), history, random, found, cancellationToken);
        _say(FormattableString.Invariant($"At {fault.Struck.TotalSeconds:0.0} s: {fault.What}; all was ready again at {fault.Over.TotalSeconds:0.0} s."));
        var rest = fault.Healed + (fault.Kind.RecoveryLimit() * _options.Patience) + Margin - history.Now;
        if (rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, cancellationToken);
        }

        return await CompleteAsync(found, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, string>> ReadHostsAsync(CancellationToken cancellationToken) => Cluster.ReadHostsAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> RestartAsync(HistoryRecorder history, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(CheckLimit);
        var found = new List<string>();
        await Faults.LosePowerAsync(history, async () => found.AddRange(await Cluster.CheckAsync(limit.Token)), cancellationToken);
        return await CompleteAsync(found, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<IReadOnlyList<string>> CompleteAsync(List<string> found, CancellationToken cancellationToken)
    {
        while (_ends.TryDequeue(out var end))
        {
            found.Add(end);
        }

        int[] living = [.. Cluster.Members.Select(member => member.Id), Cluster.Postgres.Id];
        found.AddRange(await HostProcesses.FindOrphansAsync(living, new HashSet<HostProcess>(), Mark, cancellationToken));
        return found;
    }

    private void NoteEnd(ClusterMember member, int exitCode)
    {
        // Only of one that was frozen it is known that it has to.
        if (_faults?.Frozen != member)
        {
            _ends.Enqueue($"{member.Name} ended by itself with exit code {exitCode}. {member.LastWords}");
        }
    }
}
