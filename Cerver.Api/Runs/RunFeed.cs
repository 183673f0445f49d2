using Cerver.Api.Accounts;
using Cerver.Api.Streams;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>Reads what a run prints and how it ends, for whoever asked.</summary>
internal sealed class RunFeed(RunHub hub, IClusterClient cluster)
{
    /// <summary>The run's events after a position, until it is over.</summary>
    public IAsyncEnumerable<EventFrame> Watch(string accountId, RunRecord run, long after) => RunFrames.ReadAsync(
        run,
        after,
        token => hub.WatchAsync(accountId, run, Math.Max(after, 0), token),
        token => Caller.Recall(cluster).GetRunAsync(accountId, run.SessionId, run.RunId, token));

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

        return await Caller.Recall(cluster).GetRunAsync(accountId, run.SessionId, run.RunId, cancellationToken);
    }
}
