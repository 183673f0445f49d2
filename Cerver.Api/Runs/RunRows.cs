using System.Runtime.CompilerServices;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>Reads a run's output from where it is kept.</summary>
internal static class RunRows
{
    /// <summary>The chunks after one sequence number up to another, in order. Those whose rows are gone are left out.</summary>
    public static async IAsyncEnumerable<RunChunk> ReadAsync(
        IRunSource runs, string accountId, RunRecord run, long after, long upTo, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (after < upTo)
        {
            var page = await runs.ReadOutputAsync(accountId, run, after, cancellationToken);
            foreach (var chunk in page)
            {
                if (chunk.Sequence <= upTo)
                {
                    yield return chunk;
                }
            }

            after = page.IsEmpty ? upTo : page[^1].Sequence;
        }
    }
}
