using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>A gateway that is killed and started again while clients use it. They learn from it when it is worth trying again.</summary>
internal sealed class UnreliableGateway : IAsyncDisposable
{
    private readonly GatewayProcess _process;
    private TaskCompletionSource _up = NewSignal();
    private TaskCompletionSource _replaced = NewSignal();
    private TaskCompletionSource _used = NewSignal();

    private UnreliableGateway(GatewayProcess process) => _process = process;

    /// <summary>Its address.</summary>
    public Uri Address => new($"http://{_process.Endpoint}");

    /// <summary>The key of its one account.</summary>
    public string Token => _process.Token;

    /// <summary>A word that stands in the path of its data directory and nowhere else on this machine.</summary>
    public string Mark => Path.GetFileName(_process.DataPath);

    /// <summary>Completes when it is ready: at once, or when it has started again.</summary>
    public Task Up => Volatile.Read(ref _up).Task;

    /// <summary>Completes when the process that serves now is gone and the next one is ready.</summary>
    public Task Replaced => Volatile.Read(ref _replaced).Task;

    /// <summary>Completes when the process that serves now has acknowledged something.</summary>
    public Task Used => Volatile.Read(ref _used).Task;

    /// <summary>A client tells that something was acknowledged.</summary>
    public void NoteUse() => Volatile.Read(ref _used).TrySetResult();

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

    /// <summary>Kills it and starts it again at once over the same data.</summary>
    /// <param name="history">Where the fault is written down.</param>
    /// <param name="whenGone">Is called while it is gone, or null.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Processes of the killed gateway that live when the next one is ready; there should be none.</returns>
    /// <exception cref="BenchException">It does not become ready again.</exception>
    public async Task<IReadOnlyList<HostProcess>> KillAsync(
        HistoryRecorder history, Func<GatewayProcess, Task>? whenGone, CancellationToken cancellationToken)
    {
        // Whoever is told that it is down waits, and whoever is in the middle of something finds out.
        var before = HostProcesses.Tree(_process.Id).Skip(1).ToHashSet();
        Volatile.Write(ref _up, NewSignal());
        Volatile.Write(ref _used, NewSignal());
        var struck = history.Now;
        await _process.KillAsync(cancellationToken);
        if (whenGone is not null)
        {
            await whenGone(_process);
        }

        _process.StartAgain();
        await _process.WaitUntilReadyAsync(cancellationToken);
        history.Add(new Fault("kill -9", struck, history.Now));

        var own = HostProcesses.Tree(_process.Id).Select(process => process.Id).ToHashSet();
        var orphans = HostProcesses.All().Where(process => !own.Contains(process.Id) && (before.Contains(process) || IsMarked(process))).ToList();
        _up.SetResult();
        Interlocked.Exchange(ref _replaced, NewSignal()).SetResult();
        return orphans;
    }

    /// <summary>Stops it and removes all it kept.</summary>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private bool IsMarked(HostProcess process) => process.CommandLine.Contains(Mark, StringComparison.Ordinal);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
