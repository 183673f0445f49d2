using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Cerver.Runs;
using Microsoft.Extensions.Logging;

namespace Cerver.Api.Runs;

/// <summary>
/// Live output for whoever watches in this process. However many watch a run, it costs one subscription and one reader of its rows; a watcher
/// that does not keep up reads the rows for itself.
/// </summary>
internal sealed class RunHub(IClusterClient cluster, ILogger<RunHub> logger)
{
    private readonly ConcurrentDictionary<string, RunWatch> _watches = new(StringComparer.Ordinal);

    /// <summary>Output of a run after a sequence number: what is there, then what comes, each chunk once and in order.</summary>
    /// <param name="accountId">The account that owns the run.</param>
    /// <param name="run">The run.</param>
    /// <param name="after">The sequence number of the last chunk that the watcher has, 0 for none.</param>
    /// <param name="cancellationToken">The watcher goes away. The run does not mind.</param>
    /// <returns>The chunks. They end after the last one of a run that is over.</returns>
    public async IAsyncEnumerable<RunChunk> WatchAsync(
        string accountId, RunRecord run, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (run.Status != RunStatus.Running)
        {
            await foreach (var chunk in RunRows.ReadAsync(cluster, accountId, run, after, upTo: run.OutputHead, cancellationToken))
            {
                yield return chunk;
            }

            yield break;
        }

        var watch = Join(accountId, run);
        try
        {
            await foreach (var chunk in watch.ReadAsync(after, cancellationToken))
            {
                yield return chunk;
            }
        }
        finally
        {
            await LeaveAsync(run.RunId, watch);
        }
    }

    private RunWatch Join(string accountId, RunRecord run)
    {
        while (true)
        {
            var watch = _watches.GetOrAdd(run.RunId, _ => new RunWatch(cluster, accountId, run, logger));
            if (watch.TryJoin())
            {
                return watch;
            }

            // Its last watcher has just left; the next one starts anew.
            _watches.TryRemove(new(run.RunId, watch));
        }
    }

    private async Task LeaveAsync(string runId, RunWatch watch)
    {
        if (watch.Leave())
        {
            _watches.TryRemove(new(runId, watch));
            await watch.DisposeAsync();
        }
    }
}
