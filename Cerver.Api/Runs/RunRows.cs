using System.Runtime.CompilerServices;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Api.Runs;

/// <summary>Reads a run's output from where it is kept.</summary>
internal static class RunRows
{
    /// <summary>The chunks after one sequence number up to another, in order.</summary>
    public static async IAsyncEnumerable<RunChunk> ReadAsync(
        IClusterClient cluster, string accountId, RunRecord run, long after, long upTo, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (after < upTo)
        {
            var page = await cluster.GetGrain<IRecallGrain>(0).ReadOutputAsync(accountId, run.RunId, after, cancellationToken);
            foreach (var chunk in page)
            {
                if (chunk.Sequence <= upTo)
                {
                    yield return chunk;
                }
            }

            // Rows that are gone were purged with their session.
            after = page.IsEmpty ? upTo : page[^1].Sequence;
        }
    }
}
