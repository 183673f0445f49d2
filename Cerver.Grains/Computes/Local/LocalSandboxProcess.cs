using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Cerver.Runs;

namespace Cerver.Grains.Computes.Local;

/// <summary>One program in a local sandbox, as the gateway sees it.</summary>
/// <param name="signal">Sends a signal to the program and everything it started; does not wait and does not throw.</param>
/// <param name="time">Measures the grace.</param>
internal sealed class LocalSandboxProcess(Action<byte> signal, TimeProvider time) : ISandboxProcess, IDisposable
{
    private const byte Terminate = 15;
    private const byte Kill = 9;

    /// <summary>With at most 64 KiB each, a process whose output nobody takes holds 1 MiB of the gateway.</summary>
    private const int MaxPendingOutputs = 16;

    private static readonly TimeSpan MaxGrace = TimeSpan.FromHours(1);

    private readonly Channel<SandboxOutput> _output = Channel.CreateBounded<SandboxOutput>(
        new BoundedChannelOptions(MaxPendingOutputs) { SingleReader = true, SingleWriter = true });

    private readonly TaskCompletionSource<SandboxStartFailure?> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int?> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _stopping = new();
    private ITimer? _killTimer;
    private long? _killAt;
    private string? _lastWords;
    private bool _disposed;

    /// <summary>Completes when the program is up, with null, or could not be started, with the reason.</summary>
    public Task<SandboxStartFailure?> Started => _started.Task;

    public IAsyncEnumerable<SandboxOutput> Output => ReadOutputAsync();

    /// <summary>How often the sandbox could have no further process before this program was started.</summary>
    public long RefusalsBefore { get; init; }

    public Task<int?> Exit => _exit.Task;

    public void Stop(TimeSpan grace)
    {
        lock (_stopping)
        {
            // What a program left behind outlives it; only a stop that began while it ran goes on to what is left.
            if (_disposed || (_killAt is null && _exit.Task.IsCompleted))
            {
                return;
            }

            grace = grace > MaxGrace ? MaxGrace : grace;
            var killAt = time.GetTimestamp() + (long)(Math.Max(0, grace.TotalSeconds) * time.TimestampFrequency);
            if (killAt >= _killAt)
            {
                return;
            }

            if (grace <= TimeSpan.Zero)
            {
                signal(Kill);
            }
            else
            {
                if (_killAt is null)
                {
                    signal(Terminate);
                }

                _killTimer ??= time.CreateTimer(_ => signal(Kill), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _killTimer.Change(grace, Timeout.InfiniteTimeSpan);
            }

            _killAt = killAt;
        }
    }

    /// <summary>The program is up, or could not be started.</summary>
    /// <returns>False when that was said before.</returns>
    public bool TryStart(SandboxStartFailure? failure) => _started.TrySetResult(failure);

    /// <summary>Takes output. Waits while the reader has enough of it.</summary>
    public async ValueTask AddOutputAsync(OutputKind kind, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            await _output.Writer.WriteAsync(new(kind, data.ToArray()), cancellationToken);
        }
        catch (ChannelClosedException)
        {
            // The reader went away and wants no more. The program must not stand still for that.
        }
    }

    /// <summary>Nobody will look at this process: it ends, and its output goes nowhere.</summary>
    public void Abandon()
    {
        Stop(TimeSpan.Zero);
        _output.Writer.TryComplete();
    }

    /// <summary>The program has ended, or with null its sandbox went down under it.</summary>
    /// <param name="exitCode">Its exit code.</param>
    /// <param name="lastWords">What is added to its standard error, or null. It has room however little is read.</param>
    public void End(int? exitCode, string? lastWords = null)
    {
        _lastWords = lastWords;
        _started.TrySetResult(SandboxStartFailure.SandboxDown);
        _output.Writer.TryComplete();
        _exit.TrySetResult(exitCode);
    }

    /// <summary>The sandbox is down: nothing is left that could be stopped.</summary>
    public void Dispose()
    {
        lock (_stopping)
        {
            _disposed = true;
            _killTimer?.Dispose();
        }
    }

    private async IAsyncEnumerable<SandboxOutput> ReadOutputAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var output in _output.Reader.ReadAllAsync(cancellationToken))
            {
                yield return output;
            }

            if (_lastWords is { } words)
            {
                yield return new(OutputKind.Stderr, Encoding.UTF8.GetBytes(words));
            }
        }
        finally
        {
            _output.Writer.TryComplete();
        }
    }
}

/// <summary>Why a program could not be started. The numbers up to 3 are those of sandbox-init.pl.</summary>
internal enum SandboxStartFailure
{
    /// <summary>Too many runs, or what they left behind, are alive in the sandbox.</summary>
    TooMany = 1,

    /// <summary>Nothing in the sandbox executes that runtime.</summary>
    NoRuntime = 2,

    /// <summary>The sandbox may have no further process or open file.</summary>
    NoProcess = 3,

    /// <summary>The sandbox is down.</summary>
    SandboxDown = 4,
}
