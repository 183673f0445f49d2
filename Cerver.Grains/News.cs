namespace Cerver.Grains;

/// <summary>Lets others wait for something new without telling them what. No news is lost between two calls of the same waiter.</summary>
internal sealed class News
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(5);

    private TaskCompletionSource _told = NewSignal();

    /// <summary>
    /// Another activation of the same session begins elsewhere, so a number from there means that there may be something new.
    /// </summary>
    private long _count = Random.Shared.NextInt64(1, 1L << 60);

    /// <summary>There is something new.</summary>
    public void Tell()
    {
        _count++;
        _told.SetResult();
        _told = NewSignal();
    }

    /// <summary>Waits until there is something that the waiter does not know.</summary>
    /// <param name="known">What the last call returned, 0 at first.</param>
    /// <param name="atMost">How long; five seconds if it is more.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to call with next.</returns>
    public async Task<long> WaitAsync(long known, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        if (known == _count && atMost > TimeSpan.Zero)
        {
            await _told.Task.WaitAsync(atMost < WaitLimit ? atMost : WaitLimit, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return _count;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
