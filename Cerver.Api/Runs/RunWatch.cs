using Cerver.Api.Calls;
using Cerver.Api.Streams;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>How a run that is going on is followed.</summary>
/// <remarks>
/// The Orleans stream makes it fast, the rows make it true: silence is never believed. While the run is open the sandbox is asked, again
/// and again, how far it is; what the stream did not bring is read from the rows.
/// </remarks>
internal sealed class RunWatch(IRunSource runs, string accountId, RunRecord run) : ITailSource<RunChunk>
{
    private const int ChunkOverheadBytes = 128;

    /// <summary>After how many looks at the run a subscription that failed is tried again.</summary>
    private const int LooksToSubscription = 5;

    /// <summary>How long silence is believed while the run is open. Shorter than any client of a cluster waits for an answer.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    public long PositionOf(RunChunk item) => item.Sequence;

    public int SizeOf(RunChunk item) => item.Data.Length + ChunkOverheadBytes;

    public IAsyncEnumerable<RunChunk> ReadRowsAsync(long after, long upTo, CancellationToken cancellationToken) =>
        RunRows.ReadAsync(runs, accountId, run, after, upTo, cancellationToken);

    public async Task FollowAsync(LiveTail<RunChunk> tail, CancellationToken cancellationToken)
    {
        var progress = await runs.WaitAsync(accountId, run, TimeSpan.Zero, cancellationToken);
        tail.Begin(progress.Head);
        if (progress.Closed)
        {
            return;
        }

        // Nobody waits for the subscription: when it takes long or fails, the rows are slower and as true.
        var subscribing = SubscribeAsync(tail);
        try
        {
            for (var looks = 1; !progress.Closed; looks++)
            {
                progress = await runs.WaitAsync(accountId, run, Silence, cancellationToken);
                await tail.FillAsync(progress.Head);
                if (looks % LooksToSubscription == 0 && subscribing.IsCompleted && await subscribing is null)
                {
                    subscribing = SubscribeAsync(tail);
                }
            }

            tail.End();
        }
        finally
        {
            if (await subscribing is { } subscription)
            {
                await subscription.DisposeAsync();
            }
        }
    }

    private Task<IAsyncDisposable?> SubscribeAsync(LiveTail<RunChunk> tail) => runs.SubscribeAsync(run, async output =>
    {
        // The stream carries other runs too.
        if (output.RunId != run.RunId)
        {
            return;
        }

        try
        {
            await tail.AddAsync(output.Chunks);
        }
        catch (Exception failure) when (failure is CerverException || CallFailures.Of(failure) != CallFailure.Final)
        {
            // What came before it could not be read. The next look at the rows brings all of it or fails, for every watcher to see; from
            // here it would only come to the stream, which would bring the same again.
        }
    });
}
