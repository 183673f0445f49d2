using Cerver.Api.Streams;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>
/// Live output for whoever watches in this process. However many watch a run, it costs one subscription and one reader of its rows; a
/// watcher that does not keep up reads the rows for itself.
/// </summary>
internal sealed class RunHub(IRunSource runs)
{
    private readonly LiveTails<RunChunk> _tails = new();

    /// <summary>Output of a run after a sequence number: what is there, then what comes, each chunk once and in order.</summary>
    /// <param name="accountId">The account that owns the run.</param>
    /// <param name="run">The run.</param>
    /// <param name="after">The sequence number of the last chunk that the watcher has, 0 for none.</param>
    /// <param name="cancellationToken">The watcher goes away. The run does not mind.</param>
    /// <returns>
    /// The chunks. They end after the last one of a run that is over. A sequence number that is missing is one whose row is gone.
    /// </returns>
    public IAsyncEnumerable<RunChunk> WatchAsync(string accountId, RunRecord run, long after, CancellationToken cancellationToken) =>
        run.Status == RunStatus.Running
            ? _tails.ReadAsync(run.RunId, () => new RunWatch(runs, accountId, run), after, cancellationToken)
            : RunRows.ReadAsync(runs, accountId, run, after, upTo: run.OutputHead, cancellationToken);

    /// <summary>
    /// How far the run's output has come: the sequence number of its last chunk, or of any other that is not less than what is asked for.
    /// </summary>
    /// <param name="accountId">The account that owns the run.</param>
    /// <param name="run">The run.</param>
    /// <param name="asked">Whether it has come so far is the question.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<long> HeadAsync(string accountId, RunRecord run, long asked, CancellationToken cancellationToken)
    {
        if (run.Status != RunStatus.Running)
        {
            return run.OutputHead;
        }

        var (head, _) = await runs.WaitAsync(accountId, run, TimeSpan.Zero, cancellationToken);
        if (head >= asked)
        {
            return head;
        }

        // After a restart nobody may know how far a run came whose end is yet to be recorded; its rows do.
        var rows = await runs.ReadOutputAsync(accountId, run, after: asked - 1, cancellationToken);
        return rows.IsEmpty ? head : rows[^1].Sequence;
    }
}
