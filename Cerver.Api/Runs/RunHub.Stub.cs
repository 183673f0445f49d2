using System.Runtime.CompilerServices;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Api.Runs;

/// <summary>Stands in until the real hub is merged: reads what is on disk until the run is over.</summary>
internal sealed class RunHub(IClusterClient cluster)
{
    public async IAsyncEnumerable<RunChunk> WatchAsync(
        string accountId, RunRecord run, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var recall = cluster.GetGrain<IRecallGrain>(0);
        while (true)
        {
            var state = await recall.GetRunAsync(accountId, run.SessionId, run.RunId, cancellationToken);
            var chunks = await recall.ReadOutputAsync(accountId, run.RunId, after, cancellationToken);
            foreach (var chunk in chunks)
            {
                after = chunk.Sequence;
                yield return chunk;
            }

            if (state.Status != RunStatus.Running && chunks.IsEmpty)
            {
                yield break;
            }
        }
    }
}
