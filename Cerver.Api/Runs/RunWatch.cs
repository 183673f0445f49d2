using Cerver.Api.Streams;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>How a run that is going on is followed.</summary>
/// <remarks>
/// The Orleans stream makes it fast, the rows make it true: silence is never believed. While the run is open the sandbox is asked, again and
/// again, how far it is; what the stream did not bring is read from the rows.
/// </remarks>
internal sealed class RunWatch(IRunSource runs, string accountId, RunRecord run) : ITailSource<RunChunk>
{
    private const int ChunkOverheadBytes = 128;

    /// <summary>How long silence is believed while the run is open.</summary>
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

        // The stream carries other runs too.
        await using var subscription = await runs.SubscribeAsync(
            run, output => output.RunId == run.RunId ? tail.AddAsync(output.Chunks) : Task.CompletedTask);
        while (!progress.Closed)
        {
            progress = await runs.WaitAsync(accountId, run, Silence, cancellationToken);
            await tail.FillAsync(progress.Head);
        }

        tail.End();
    }
}
