using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Runs;

/// <summary>
/// Writes down what a program prints, while it prints it: rows first, then whoever watches. What comes while a commit is under way goes
/// into the next one, so a program that prints much needs few commits and the first byte waits for nobody.
/// </summary>
/// <param name="sessionId">The session it belongs to.</param>
/// <param name="run">The run.</param>
/// <param name="process">The program.</param>
/// <param name="taints">The values that are left out of what is written.</param>
/// <param name="store">Where the rows go.</param>
/// <param name="tell">Tells that there are new rows. It must not fail.</param>
/// <param name="publish">Tells watchers of chunks that are on disk. It may fail: watchers read the rows then.</param>
/// <param name="maxOutputBytes">Output beyond is left out.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told.</param>
/// <param name="recorded">What another process recorded of it, or null.</param>
internal sealed partial class RunRecorder(
    string sessionId,
    SandboxRun run,
    ISandboxProcess process,
    AccountTaints taints,
    IRunStore store,
    Action tell,
    Func<RunOutput, Task> publish,
    long maxOutputBytes,
    TimeProvider time,
    ILogger logger,
    RecordedOutput? recorded = null)
{
    /// <summary>
    /// How long output is gathered after a commit, so that a program which prints byte by byte does not cost a commit for each.
    /// </summary>
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(10);

    private const int FlushBytes = 128 * 1024;
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    private readonly ChunkBuffer _buffer = new();
    private readonly OutputDigest _digest = new(run.RunId);
    private long _recorded;
    private bool _truncated;
    private RunStatus? _stopped;
    private Task _published = Task.CompletedTask;
    private Task<bool> _more = Task.FromResult(false);

    /// <summary>The sequence number of the last chunk that is on disk.</summary>
    public long Head { get; private set; }

    /// <summary>Stops the program. Returns at once; the recording ends when the program has.</summary>
    /// <param name="reason">What the run's status shall be, unless the program ended by itself before.</param>
    public void Stop(RunStatus reason)
    {
        ExpectEnd(reason);
        process.Stop(StopGrace);
    }

    /// <summary>Notes why the program is going to end, unless it has ended by itself before.</summary>
    public void ExpectEnd(RunStatus reason)
    {
        if (!process.Exit.IsCompleted)
        {
            _stopped ??= reason;
        }
    }

    /// <summary>Records until the program has ended and all it printed is on disk. Call it once.</summary>
    /// <returns>How the run ended. Whatever goes wrong is an end too: a run is never left going.</returns>
    /// <exception cref="RunDetachedException">It goes on, and is recorded elsewhere.</exception>
    public async Task<RunEnd> RecordAsync()
    {
        await using var timeout = time.CreateTimer(_ => Stop(RunStatus.TimedOut), state: null, run.Timeout + process.TimeoutPatience, Timeout.InfiniteTimeSpan);
        await using var output = process.Output.GetAsyncEnumerator();
        _more = output.MoveNextAsync().AsTask();
        try
        {
            await RecordOutputAsync(output);
        }
        catch (Exception failure) when (failure is not RunDetachedException)
        {
            // Output that cannot be written down must not be lost without a sign: the run is over, and says so. The program is read to its
            // end all the same, because a program that nobody reads holds up the others in its sandbox.
            LogRecordingFailed(failure, run.RunId);
            _stopped = RunStatus.Lost;
            _truncated = true;
            process.Stop(StopGrace);
            while (await _more)
            {
                _more = output.MoveNextAsync().AsTask();
            }
        }

        var exitCode = await process.Exit;
        var status = _stopped ?? (process.TimedOut ? RunStatus.TimedOut : exitCode is null ? RunStatus.Lost : RunStatus.Exited);
        return new RunEnd(run.RunId, status, exitCode, _truncated, Head, time.GetUtcNow(), _digest.ToString());
    }

    private async Task RecordOutputAsync(IAsyncEnumerator<SandboxOutput> output)
    {
        var redactor = new OutputRedactor(taints, Keep);
        var flushed = 0L;
        while (true)
        {
            // What waits to be written gathers a little more, but not for long.
            if (_buffer.Bytes > 0 && !await ArrivesAsync(_more, Window - time.GetElapsedTime(flushed)))
            {
                await FlushAsync(last: false);
                flushed = time.GetTimestamp();
                continue;
            }

            if (!await _more)
            {
                break;
            }

            redactor.Add(output.Current.Kind, output.Current.Data.Span);
            _more = output.MoveNextAsync().AsTask();
            if (_buffer.Bytes >= FlushBytes)
            {
                await FlushAsync(last: false);
                flushed = time.GetTimestamp();
            }
        }

        redactor.Complete();
        await FlushAsync(last: true);
    }

    private async Task<bool> ArrivesAsync(Task more, TimeSpan within) =>
        more.IsCompleted || (within > TimeSpan.Zero && await Task.WhenAny(more, Task.Delay(within, time)) == more);

    private void Keep(OutputKind kind, ReadOnlySpan<byte> data)
    {
        if (data.Length > maxOutputBytes - _recorded)
        {
            data = data[..(int)(maxOutputBytes - _recorded)];
            _truncated = true;
        }

        _recorded += data.Length;
        _digest.Add(data);
        _buffer.Add(kind, data);
    }

    private async Task FlushAsync(bool last)
    {
        var chunks = _buffer.Take(last);
        if (recorded is not null)
        {
            chunks = await recorded.TakeOffAsync(chunks);

            // Whoever watches passes over what is not there up to here, so it is no further than what is on disk.
            Head = chunks.IsEmpty ? recorded.Head : chunks[0].Sequence - 1;
        }

        if (chunks.IsEmpty)
        {
            return;
        }

        await store.AppendOutputAsync(sessionId, run.RunId, chunks, CancellationToken.None);
        Head = chunks[^1].Sequence;
        tell();

        // One publication at a time: when watchers cannot keep up, they are left a hole, which they fill from the rows.
        if (_published.IsCompleted)
        {
            _published = publish(new RunOutput(run.RunId, chunks));
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The output of run {RunId} could not be recorded; the run was stopped")]
    private partial void LogRecordingFailed(Exception failure, string runId);
}
