using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>A gateway of one process that is killed and started again while clients use it. They learn from it when it is worth trying again.</summary>
internal sealed class UnreliableGateway : ICrashTarget
{
    private const int MaxLoadMilliseconds = 1_500;
    private static readonly TimeSpan CheckLimit = TimeSpan.FromSeconds(60);

    private readonly GatewayProcess _process;
    private TaskCompletionSource _up = NewSignal();
    private TaskCompletionSource _replaced = NewSignal();
    private TaskCompletionSource _used = NewSignal();

    private UnreliableGateway(GatewayProcess process) => _process = process;

    /// <inheritdoc/>
    public ImmutableArray<Uri> Addresses => [new($"http://{_process.Endpoint}")];

    /// <inheritdoc/>
    public string Token => _process.Token;

    /// <inheritdoc/>
    public string Mark => Path.GetFileName(_process.DataPath);

    /// <inheritdoc/>
    public CrashLoad Load { get; } = new(Transcripts: 3, Sandboxes: 2, WritersPerSession: 2, RunnersPerSandbox: 2, WatchersPerSession: 2, Ease: 1,
        MaxStay: TimeSpan.FromMilliseconds(900), SomeStay: false, LineInterval: TimeSpan.FromMilliseconds(10));

    /// <inheritdoc/>
    public int CyclesPerRound => 25;

    /// <inheritdoc/>
    public TimeSpan CycleLimit { get; } = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public Task Up => Volatile.Read(ref _up).Task;

    /// <summary>Starts a build of the gateway over an empty data directory and waits until it is ready.</summary>
    /// <exception cref="BenchException">It does not become ready.</exception>
    public static async Task<UnreliableGateway> StartAsync(string gatewayPath, Repository repository, CancellationToken cancellationToken)
    {
        var gateway = new UnreliableGateway(GatewayProcess.Start(gatewayPath, repository));
        try
        {
            await gateway._process.WaitUntilReadyAsync(cancellationToken);
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }

        gateway._up.SetResult();
        return gateway;
    }

    /// <inheritdoc/>
    public Func<CancellationToken, Task> WatchReplacement()
    {
        // As long as the process lives that was asked, the request may still have its effect.
        var replaced = Volatile.Read(ref _replaced).Task;
        return replaced.WaitAsync;
    }

    /// <inheritdoc/>
    public void NoteUse() => Volatile.Read(ref _used).TrySetResult();

    /// <summary>One kill in five comes while the gateway has hardly started, the others when it is at work.</summary>
    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> StrikeAsync(HistoryRecorder history, Random random, CancellationToken cancellationToken)
    {
        if (random.Next(5) > 0)
        {
            await Volatile.Read(ref _used).Task.WaitAsync(cancellationToken);
        }

        await Task.Delay(random.Next(MaxLoadMilliseconds), cancellationToken);
        return await KillAsync(history, whenGone: null, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, string>> ReadHostsAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(ImmutableDictionary<string, string>.Empty);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> RestartAsync(HistoryRecorder history, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(CheckLimit);
        var orphans = await KillAsync(history, async () => found.AddRange(await _process.CheckAsync(limit.Token)), cancellationToken);
        return [.. found, .. orphans];
    }

    /// <summary>Stops it and removes all it kept.</summary>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    /// <summary>Kills it and starts it again at once over the same data.</summary>
    private async Task<IReadOnlyList<string>> KillAsync(HistoryRecorder history, Func<Task>? whenGone, CancellationToken cancellationToken)
    {
        // Whoever is told that it is down waits, and whoever is in the middle of something finds out.
        var before = HostProcesses.Tree(_process.Id).Skip(1).ToHashSet();
        Volatile.Write(ref _up, NewSignal());
        Volatile.Write(ref _used, NewSignal());
        var struck = history.Now;
        await _process.KillAsync(cancellationToken);
        if (whenGone is not null)
        {
            await whenGone();
        }

        _process.StartAgain();
        await _process.WaitUntilReadyAsync(cancellationToken);
        var ready = history.Now;
        history.Add(new Fault(FaultKind.GatewayKill, "a kill -9", struck, ready, ready));

        var orphans = await HostProcesses.FindOrphansAsync([_process.Id], before, Mark, cancellationToken);
        _up.SetResult();
        Interlocked.Exchange(ref _replaced, NewSignal()).SetResult();
        return orphans;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
