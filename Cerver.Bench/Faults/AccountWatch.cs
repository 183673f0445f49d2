using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>Watches the account through a whole round, from before its first session on.</summary>
internal sealed class AccountWatch : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Changes are told four times a second. Whoever was not told for so long will not be.</summary>
    private static readonly TimeSpan TellLimit = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _ending;
    private readonly Watcher _watcher;
    private readonly Task _watching;

    private AccountWatch(CrashScene scene, Random random)
    {
        _ending = CancellationTokenSource.CreateLinkedTokenSource(scene.GivenUp);
        _watcher = new(
            scene with { GivenUp = _ending.Token }, "the watcher of the account", AccountRules.Stream, "/v2/sessions/stream", after: -1,
            isEnd: static _ => false, random);
        _watching = _watcher.RunAsync();
    }

    /// <summary>Begins to watch, and returns when nothing will be missed any more.</summary>
    public static async Task<AccountWatch> BeginAsync(CrashScene scene, Random random)
    {
        var watch = new AccountWatch(scene, random);
        while (watch._watcher.Seen.IsEmpty && !watch._watching.IsCompleted)
        {
            await Task.Delay(PollInterval, scene.GivenUp);
        }

        return watch;
    }

    /// <summary>Watches until it was told of all that changed, or for as long as that may take, and writes down what it saw.</summary>
    /// <param name="final">The sessions as they are.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task EndAsync(FinalState final, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (AccountRules.FindUntold(_watcher.Seen, final).Any() && !_watching.IsCompleted
            && TimeProvider.System.GetElapsedTime(began) < TellLimit)
        {
            await Task.Delay(PollInterval, cancellationToken);
        }

        await _ending.CancelAsync();
        await _watching;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ending.Cancel();
        _ending.Dispose();
    }
}
