using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>What all who use a gateway share while it is killed again and again.</summary>
/// <param name="Target">The gateway.</param>
/// <param name="Client">Makes the requests to it.</param>
/// <param name="History">Where it is written down what was done and seen.</param>
/// <param name="Ending">Cancelled when nothing new shall be begun. What was begun is brought to its end.</param>
/// <param name="GivenUp">Cancelled when there is nothing to wait for any more.</param>
internal sealed record CrashScene(
    ICrashTarget Target, GatewayClient Client, HistoryRecorder History, CancellationToken Ending, CancellationToken GivenUp)
{
    /// <summary>Between two attempts of one request: a gateway that answers with a failure is not asked as fast as it fails.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Makes a request until it is known what became of it. Without a key it is made once; after that only what was not sent at all may be
    /// sent again.
    /// </summary>
    /// <param name="hasKey">Whether it has an idempotency key.</param>
    /// <param name="attempt">Makes an attempt, writes it down, and returns what is known of it; null when nothing was sent.</param>
    public async Task<Outcome> PersistAsync(bool hasKey, Func<Task<Outcome?>> attempt)
    {
        while (true)
        {
            await Target.Up.WaitAsync(GivenUp);
            var untilReplaced = Target.WatchReplacement();
            var outcome = await attempt();
            if (outcome is Outcome.Acknowledged or Outcome.Refused)
            {
                return outcome.Value;
            }

            if (outcome is Outcome.Unknown && !hasKey)
            {
                await untilReplaced(Ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return Outcome.Unknown;
            }

            await Task.Delay(RetryInterval * Target.Load.Ease, GivenUp);
        }
    }

    /// <summary>Lets a moment of random length pass; shorter when the end comes.</summary>
    /// <param name="random">Says how long.</param>
    /// <param name="maxMilliseconds">The longest, when nobody takes it easy.</param>
    public async Task PauseAsync(Random random, int maxMilliseconds) =>
        await Task.Delay(random.Next(maxMilliseconds * Target.Load.Ease), Ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
