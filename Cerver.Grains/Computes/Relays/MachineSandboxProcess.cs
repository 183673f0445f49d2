using System.Threading.Channels;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Grains.Computes.Relays;

/// <summary>One program on a machine, as the gateway sees it.</summary>
internal sealed class MachineSandboxProcess : ISandboxProcess
{
    /// <summary>With at most 64 KiB each. The machine sends no more before it hears that these were taken.</summary>
    private const int MaxPendingOutputs = 16;

    /// <summary>More than a machine takes to stop a program, and a line to be dialled anew: only what it says tells a program that was stopped from one that ended in time.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    /// <summary>A machine that has not said how a program ended so long after it was to end is not waited for any more.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);

    /// <summary>How long after a stop that did not arrive the machine is told again.</summary>
    private static readonly TimeSpan StopPause = TimeSpan.FromSeconds(1);

    /// <summary>How often it is looked whether there is still such a machine. Of one that was deleted nothing would ever be heard.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    private readonly MachineCalls _machine;
    private readonly string _sandboxId;
    private readonly string _runId;
    private readonly Action _forgotten;
    private readonly TimeProvider _time;
    private readonly ITimer _looking;
    private readonly Channel<SandboxOutput> _output = Channel.CreateBounded<SandboxOutput>(new BoundedChannelOptions(MaxPendingOutputs) { SingleReader = true });
    private readonly TaskCompletionSource<int?> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private Task<long> _turn = Task.FromResult(0L);
    private long _taken;
    private ITimer? _patience;
    private int _stops;

    /// <summary>Follows a program.</summary>
    /// <param name="machine">The way to the machine.</param>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="runId">The run.</param>
    /// <param name="forgotten">Is told when nothing more is wanted of it.</param>
    /// <param name="time">Measures patience.</param>
    public MachineSandboxProcess(MachineCalls machine, string sandboxId, string runId, Action forgotten, TimeProvider time)
    {
        (_machine, _sandboxId, _runId, _forgotten, _time) = (machine, sandboxId, runId, forgotten, time);
        _looking = time.CreateTimer(_ => _ = LookAsync(), state: null, LookInterval, LookInterval);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<SandboxOutput> Output => _output.Reader.ReadAllAsync();

    /// <inheritdoc/>
    public Task<int?> Exit => _exit.Task;

    /// <inheritdoc/>
    public bool TimedOut { get; private set; }

    /// <inheritdoc/>
    public TimeSpan TimeoutPatience => EndPatience;

    /// <inheritdoc/>
    public void Stop(TimeSpan grace)
    {
        if (_exit.Task.IsCompleted)
        {
            return;
        }

        int number;
        lock (_gate)
        {
            number = ++_stops;
            _patience ??= _time.CreateTimer(_ => End(exitCode: null), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _patience.Change(grace + StopPatience, Timeout.InfiniteTimeSpan);
        }

        _ = TellStopAsync(grace, number);
    }

    /// <inheritdoc/>
    public void Forget()
    {
        _forgotten();

        // When it does not arrive, the machine asks again, and hears then that the run is over.
        _machine.PostAsync(RelayPaths.Forget(_sandboxId, _runId), new StopRelayRun(0), RelayJson.Default.StopRelayRun, CancellationToken.None).Ignore();
    }

    /// <summary>
    /// Takes what is next, and drops what was taken before and what comes after something that is missing: the machine sends that again when it hears what was taken.
    /// Waits while the reader has enough, one after the other: lines that drop have several here at once, and an end must not overtake what was printed before it.
    /// </summary>
    /// <returns>The number of the last that was taken.</returns>
    public Task<long> TakeAsync(SandboxEvent what)
    {
        lock (_gate)
        {
            return _turn = TakeAfterAsync(_turn, what);
        }
    }

    /// <summary>The program has ended, or with null nobody knows how.</summary>
    /// <param name="exitCode">How.</param>
    /// <param name="timedOut">Whether its machine says that it stopped it because its time was over.</param>
    public void End(int? exitCode, bool timedOut = false)
    {
        lock (_gate)
        {
            TimedOut |= timedOut;
            _patience?.Dispose();
            _patience = null;
        }

        _looking.Dispose();
        _output.Writer.TryComplete();
        _exit.TrySetResult(exitCode);
    }

    /// <summary>Follows the program no more, which goes on.</summary>
    public void Detach()
    {
        _looking.Dispose();
        _output.Writer.TryComplete(new RunDetachedException());
    }

    private async Task LookAsync()
    {
        try
        {
            if (!await _machine.IsRegisteredAsync())
            {
                End(exitCode: null);
            }
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            // Nobody can say now, and it is looked again.
        }
    }

    /// <summary>Tells the machine to stop the program, until it has heard it, patience is over or there is another stop to tell of.</summary>
    private async Task TellStopAsync(TimeSpan grace, int number)
    {
        while (!_exit.Task.IsCompleted && number == Volatile.Read(ref _stops))
        {
            try
            {
                await _machine.PostAsync(RelayPaths.Stop(_sandboxId, _runId), new StopRelayRun((long)grace.TotalMilliseconds), RelayJson.Default.StopRelayRun, CancellationToken.None);
                return;
            }
            catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
            {
                // Its line is down, and may be up in a moment. A stop that comes twice does no harm.
                await Task.Delay(StopPause, _time);
            }
        }
    }

    private async Task<long> TakeAfterAsync(Task before, SandboxEvent what)
    {
        await before;
        if (what.Sequence == _taken + 1)
        {
            await PassOnAsync(what);
            _taken++;
        }

        return _taken;
    }

    private async ValueTask PassOnAsync(SandboxEvent what)
    {
        if (what.Kind == SandboxEventKind.End)
        {
            End(what.ExitCode, what.TimedOut);
            return;
        }

        try
        {
            await _output.Writer.WriteAsync(new SandboxOutput(what.Stream, what.Data ?? []));
        }
        catch (ChannelClosedException)
        {
            // Nobody follows it any more.
        }
    }
}
