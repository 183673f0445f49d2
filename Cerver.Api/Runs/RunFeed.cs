using Cerver.Api.Streams;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>Reads what a run prints and how it ends, for whoever asked.</summary>
internal sealed class RunFeed(RunHub hub, IRunSource runs)
{
    /// <summary>A run as it is now.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    public Task<RunRecord> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) =>
        runs.FindAsync(accountId, sessionId, runId, cancellationToken);

    /// <summary>The run's events after a position, until it is over.</summary>
    public IAsyncEnumerable<EventFrame> Watch(string accountId, RunRecord run, long after) => RunFrames.ReadAsync(
        run,
        after,
        token => hub.WatchAsync(accountId, run, Math.Max(after, 0), token),
        token => runs.FindAsync(accountId, run.SessionId, run.RunId, token));

    /// <summary>Refuses a position beyond the run's last event.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/>.</exception>
    public async Task RequireReachedAsync(string accountId, RunRecord run, StreamPosition position, CancellationToken cancellationToken)
    {
        // Nobody needs to be asked about the first two: the end of a run without output is 1.
        if (position.After > 1)
        {
            position.RequireAtMost(await hub.HeadAsync(accountId, run, position.After - 1, cancellationToken) + 1);
        }
    }

    /// <summary>Waits until the run is over.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="run">The run.</param>
    /// <param name="output">Takes what it prints.</param>
    /// <param name="cancellationToken">Ends the waiting, not the run.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when the session was erased meanwhile.</exception>
    public async Task<RunRecord> CompleteAsync(string accountId, RunRecord run, FoldedOutput output, CancellationToken cancellationToken)
    {
        await foreach (var chunk in hub.WatchAsync(accountId, run, after: 0, cancellationToken))
        {
            output.Add(chunk);
        }

        var ended = await runs.FindAsync(accountId, run.SessionId, run.RunId, cancellationToken);
        output.EndAt(ended.OutputHead);
        return ended;
    }
}
