using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Runs;

namespace Cerver.Grains.Runs;

/// <summary>
/// Writes down what a program prints, while it prints it: rows first, then whoever watches. What comes while a commit is under way goes into
/// the next one, so a program that prints much needs few commits and the first byte waits for nobody.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="process">The program.</param>
/// <param name="store">Where the rows go.</param>
/// <param name="publish">Tells watchers of chunks that are on disk. It may fail: watchers read the rows then.</param>
/// <param name="maxOutputBytes">Output beyond is left out.</param>
/// <param name="time">The clock.</param>
internal sealed class RunRecorder(
    SandboxRun run, ISandboxProcess process, IRunStore store, Func<RunOutput, Task> publish, long maxOutputBytes, TimeProvider time)
{
    /// <summary>How long output is gathered after a commit, so that a program which prints byte by byte does not cost a commit for each.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(10);

    private const int FlushBytes = 128 * 1024;
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    private readonly ChunkBuffer _buffer = new();
    private readonly OutputDigest _digest = new(run.RunId);
    private long _recorded;
    private bool _truncated;
    private RunStatus? _stopped;
    private Task _published = Task.CompletedTask;

    /// <summary>The sequence number of the last chunk that is on disk.</summary>
    public long Head { get; private set; }

    /// <summary>Stops the program. Returns at once; the recording ends when the program has.</summary>
    /// <param name="reason">What the run's status shall be.</param>
    public void Stop(RunStatus reason)
    {
        _stopped ??= reason;
        process.Stop(StopGrace);
    }

    /// <summary>Notes that the whole sandbox is being ended on purpose, so that the end of this run is no loss.</summary>
    public void ExpectEnd() => _stopped ??= RunStatus.Cancelled;

    /// <summary>Records until the program has ended and all it printed is on disk. Call it once.</summary>
    /// <returns>How the run ended.</returns>
    public async Task<RunEnd> RecordAsync()
    {
        await using var timeout = time.CreateTimer(_ => Stop(RunStatus.TimedOut), state: null, run.Timeout, Timeout.InfiniteTimeSpan);
        try
        {
            await RecordOutputAsync();
        }
        catch (CerverException)
        {
            // Output that cannot be written down must not be lost without a sign: the run is over, and says so.
            Stop(RunStatus.Lost);
            _truncated = true;
            await foreach (var _ in process.Output)
            {
            }
        }

        var exitCode = await process.Exit;
        var status = _stopped ?? (exitCode is null ? RunStatus.Lost : RunStatus.Exited);
        return new RunEnd(run.RunId, status, exitCode, _truncated, Head, time.GetUtcNow(), _digest.ToString());
    }

    private async Task RecordOutputAsync()
    {
        await using var output = process.Output.GetAsyncEnumerator();
        var flushed = 0L;
        var more = output.MoveNextAsync().AsTask();
        while (true)
        {
            // What waits to be written gathers a little more, but not for long.
            if (_buffer.Bytes > 0 && !await ArrivesAsync(more, Window - time.GetElapsedTime(flushed)))
            {
                await FlushAsync(last: false);
                flushed = time.GetTimestamp();
                continue;
            }

            if (!await more)
            {
                break;
            }

            Keep(output.Current);
            if (_buffer.Bytes >= FlushBytes)
            {
                await FlushAsync(last: false);
                flushed = time.GetTimestamp();
            }

            more = output.MoveNextAsync().AsTask();
        }

        await FlushAsync(last: true);
    }

    private async Task<bool> ArrivesAsync(Task more, TimeSpan within) =>
        more.IsCompleted || (within > TimeSpan.Zero && await Task.WhenAny(more, Task.Delay(within, time)) == more);

    private void Keep(SandboxOutput piece)
    {
        var data = piece.Data.Span;
        if (data.Length > maxOutputBytes - _recorded)
        {
            data = data[..(int)(maxOutputBytes - _recorded)];
            _truncated = true;
        }

        _recorded += data.Length;
        _digest.Add(data);
        _buffer.Add(piece.Kind, data);
    }

    private async Task FlushAsync(bool last)
    {
        var chunks = _buffer.Take(last);
        if (chunks.IsEmpty)
        {
            return;
        }

        await store.AppendOutputAsync(run.RunId, chunks, CancellationToken.None);
        Head = chunks[^1].Sequence;

        // One publication at a time: when watchers cannot keep up, they are left a hole, which they fill from the rows.
        if (_published.IsCompleted)
        {
            _published = publish(new RunOutput(chunks));
        }
    }
}
