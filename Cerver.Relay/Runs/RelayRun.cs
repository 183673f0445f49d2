using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;

namespace Cerver.Relay.Runs;

/// <summary>
/// One run: what its program prints goes into the spool, and from there to the gateway, as much at a time as the gateway has room for. A spool that another process left has no
/// program any more.
/// </summary>
internal sealed class RelayRun : IDisposable
{
    /// <summary>How many events may be under way that the gateway has not acknowledged; of at most 64 KiB each.</summary>
    private const int Window = 16;

    /// <summary>How long output is gathered after a record, so that a program that prints byte by byte does not make a record of each.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);

    /// <summary>How often the gateway hears of a run, whatever happens in it: a process of it that is new may not know of it, and nobody may want it any more.</summary>
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(10);

    private readonly RunSpool _spool;
    private readonly ISandboxProcess? _process;
    private readonly Func<RelayedRun, Exception, Task> _failed;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _last;
    private (Func<RelayEvent, CancellationToken, Task> Send, CancellationToken Until)? _line;
    private CancellationTokenSource _sending = new();
    private CancellationTokenSource _telling = new();
    private Task<bool> _more = Task.FromResult(false);
    private bool _isDisposed;
    private bool _isStopped;
    private volatile bool _timedOut;

    /// <summary>Takes a run over.</summary>
    /// <param name="spool">Where what happens is kept.</param>
    /// <param name="process">The program, or null when it ended with another process of the relay.</param>
    /// <param name="failed">Is told when the disk does not take what the program prints, or does not give it back.</param>
    /// <param name="time">The clock.</param>
    public RelayRun(RunSpool spool, ISandboxProcess? process, Func<RelayedRun, Exception, Task> failed, TimeProvider time) =>
        (_spool, _process, _failed, _time) = (spool, process, failed, time);

    /// <summary>Which run it is.</summary>
    public RelayedRun Run => _spool.Run;

    /// <summary>Completes when the program has ended and what it printed is kept, as far as the disk takes it.</summary>
    public Task Recorded { get; set; } = Task.CompletedTask;

    /// <summary>Stops the program, for somebody who wants that.</summary>
    public void Stop(TimeSpan grace)
    {
        lock (_gate)
        {
            _isStopped = true;
        }

        _process?.Stop(grace);
    }

    /// <summary>Stops the program because its time is over. The end of the run says so, unless it has come already or somebody stopped it before.</summary>
    public void TimeOut(TimeSpan grace)
    {
        lock (_gate)
        {
            _timedOut = !_isStopped && !_process!.Exit.IsCompleted;
        }

        _process!.Stop(grace);
    }

    /// <summary>Keeps what the program prints, up to a limit, until it has ended.</summary>
    public async Task RecordAsync(long maxOutputBytes)
    {
        await using var output = _process!.Output.GetAsyncEnumerator();
        _more = output.MoveNextAsync().AsTask();
        try
        {
            await SpoolAsync(output, maxOutputBytes);
        }
        catch (Exception failure)
        {
            // The program is read to its end all the same, because a program that nobody reads holds up the others in its sandbox.
            await _failed(Run, failure);
            while (await _more)
            {
                _more = output.MoveNextAsync().AsTask();
            }
        }
    }

    /// <summary>Sends to a gateway what it has not acknowledged, and what comes then, as long as the line holds.</summary>
    public void Connect(Func<RelayEvent, CancellationToken, Task> send, CancellationToken until)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _line = (send, until);
            _telling.Cancel();
            _telling.Dispose();
            _telling = CancellationTokenSource.CreateLinkedTokenSource(until);
            _ = TellAsync(send, _telling.Token);
        }

        Resume(_last);
    }

    /// <summary>The gateway has taken everything up to a sequence number, so there is room for more; or wants what comes after it again.</summary>
    public void Acknowledge(long sequence)
    {
        if (sequence < _last)
        {
            Resume(sequence);
            return;
        }

        TaskCompletionSource acknowledged;
        lock (_gate)
        {
            _last = sequence;
            (acknowledged, _acknowledged) = (_acknowledged, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        acknowledged.TrySetResult();
    }

    /// <summary>Waits until the gateway has taken all that happened, the end too, or wants no more of it.</summary>
    public async Task WaitUntilTakenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task acknowledged;
            lock (_gate)
            {
                if (_isDisposed || (_spool.IsComplete && _last >= _spool.Head))
                {
                    return;
                }

                acknowledged = _acknowledged.Task;
            }

            await acknowledged.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Forgets the run and what it printed. A program that goes on is wanted no more, or it would be there for ever.</summary>
    public void Forget()
    {
        Stop(TimeSpan.Zero);
        Dispose();
        _spool.Delete();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                (_isDisposed, _line) = (true, null);
                _sending.Cancel();
                _sending.Dispose();
                _telling.Cancel();
                _telling.Dispose();
                _acknowledged.TrySetResult();
            }
        }

        _spool.Dispose();
    }

    private void Resume(long after)
    {
        lock (_gate)
        {
            if (_line is not { } line || line.Until.IsCancellationRequested)
            {
                return;
            }

            _sending.Cancel();
            _sending.Dispose();
            _sending = CancellationTokenSource.CreateLinkedTokenSource(line.Until);
            _last = after;
            _ = SendAsync(line.Send, after, _sending.Token);
        }
    }

    private async Task SpoolAsync(IAsyncEnumerator<SandboxOutput> output, long maxOutputBytes)
    {
        var gathered = new GatheredOutput(_spool, maxOutputBytes);
        var written = _time.GetTimestamp() - _time.TimestampFrequency;
        while (true)
        {
            if (gathered.Bytes > 0 && !await ArrivesAsync(_more, Gathering - _time.GetElapsedTime(written)))
            {
                gathered.Flush();
                written = _time.GetTimestamp();
                continue;
            }

            if (!await _more)
            {
                break;
            }

            gathered.Add(output.Current);
            _more = output.MoveNextAsync().AsTask();
        }

        gathered.Flush();
        _spool.Complete(await _process!.Exit, _timedOut);
    }

    private async Task<bool> ArrivesAsync(Task more, TimeSpan within) =>
        more.IsCompleted || (within > TimeSpan.Zero && await Task.WhenAny(more, Task.Delay(within, _time)) == more);

    private async Task SendAsync(Func<RelayEvent, CancellationToken, Task> send, long after, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var what in _spool.ReadAsync(after, cancellationToken))
            {
                await WaitForRoomAsync(what.Sequence, cancellationToken);
                await send(what, cancellationToken);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException && cancellationToken.IsCancellationRequested)
        {
            // The line is down, everything is sent again, or the run is forgotten and its file with it; whoever ended this begins anew.
        }
        catch (IOException failure)
        {
            await _failed(Run, failure);
        }
    }

    private async Task TellAsync(Func<RelayEvent, CancellationToken, Task> send, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TellInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await send(new RelayEvent(RelayWords.Going, Run.SandboxId, Run.RunId), cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The line is down, or the run is forgotten.
        }
    }

    private async Task WaitForRoomAsync(long sequence, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task acknowledged;
            lock (_gate)
            {
                if (sequence - _last <= Window)
                {
                    return;
                }

                acknowledged = _acknowledged.Task;
            }

            await acknowledged.WaitAsync(cancellationToken);
        }
    }
}
