using System.Diagnostics;
using System.Net;

namespace Cerver.Bench.Gateways;

/// <summary>How a process was stopped that was asked to.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Took">The time from the signal to its end.</param>
internal sealed record MemberStop(int ExitCode, TimeSpan Took);

/// <summary>
/// A silo or a front door as a supervisor keeps it: when it ends by itself it is started again, as often as it takes. Only one that was
/// killed or stopped here stays down until it is started here.
/// </summary>
internal sealed class ClusterMember : IAsyncDisposable
{
    private const int MaxRestarts = 20;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan RestartPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly ServerProcess _process;
    private readonly Action<ClusterMember, int> _ended;
    private bool _isDownOnPurpose;
    private int _restarts;
    private Task _supervision;

    private ClusterMember(string name, ServerProcess process, IPEndPoint endpoint, Action<ClusterMember, int> ended)
    {
        Name = name;
        Endpoint = endpoint;
        _process = process;
        _ended = ended;
        _supervision = SuperviseAsync();
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>Where it answers to HTTP.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>The id of its process.</summary>
    public int Id => _process.Id;

    /// <summary>The processor time that its process has taken until now.</summary>
    public TimeSpan ProcessorTime => _process.ProcessorTime;

    /// <summary>Completes with the exit code when the process that runs now is gone.</summary>
    public Task<int> Gone => _process.Gone;

    /// <summary>The last lines that it said.</summary>
    public string LastWords => _process.LastWords;

    /// <summary>Starts it.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="start">How.</param>
    /// <param name="endpoint">Where it answers to HTTP.</param>
    /// <param name="logPath">A file that gets all it prints, or null.</param>
    /// <param name="ended">Is told the exit code when it ends by itself.</param>
    public static ClusterMember Start(string name, ProcessStartInfo start, IPEndPoint endpoint, string? logPath, Action<ClusterMember, int> ended) =>
        new(name, ServerProcess.Start(name, start, Signal.Terminate, StopTimeout, logPath), endpoint, ended);

    /// <summary>Waits until it is ready, whichever of its processes that is.</summary>
    /// <exception cref="BenchException">It is not ready after three minutes, or ends again and again.</exception>
    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(PollInterval);
        while (!await Readiness.AskAsync(Endpoint, cancellationToken))
        {
            if (_supervision.IsCompleted || Stopwatch.GetElapsedTime(started) > StartTimeout)
            {
                throw new BenchException($"{Name} does not become ready. {_process.LastWords}");
            }

            await poll.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Kills it with SIGKILL. It stays down.</summary>
    public Task KillAsync(CancellationToken cancellationToken)
    {
        StayDown();
        return _process.KillAsync(cancellationToken);
    }

    /// <summary>Asks it to stop and waits until it has. It stays down.</summary>
    /// <exception cref="BenchException">It did not stop within 40 s and was killed.</exception>
    public async Task<MemberStop> StopAsync(CancellationToken cancellationToken)
    {
        StayDown();
        var asked = Stopwatch.GetTimestamp();
        var exitCode = await _process.StopAsync(cancellationToken);
        return new(exitCode, Stopwatch.GetElapsedTime(asked));
    }

    /// <summary>Starts it again after it was killed or stopped.</summary>
    public async Task StartAgainAsync()
    {
        // Whoever watched the process that is gone must not take the new one for its own.
        await _supervision;
        lock (_gate)
        {
            _isDownOnPurpose = false;
            _process.StartAgain();
        }

        _supervision = SuperviseAsync();
    }

    /// <summary>Freezes it.</summary>
    public void Freeze() => _process.Send(Signal.Stop);

    /// <summary>Lets it go on.</summary>
    public void Thaw() => _process.Send(Signal.Continue);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        StayDown();

        // One that is frozen would not hear that it is to stop.
        Thaw();
        await _process.DisposeAsync();
    }

    private void StayDown()
    {
        lock (_gate)
        {
            _isDownOnPurpose = true;
        }
    }

    private async Task SuperviseAsync()
    {
        while (true)
        {
            var exitCode = await _process.Gone;
            lock (_gate)
            {
                if (_isDownOnPurpose)
                {
                    return;
                }
            }

            _ended(this, exitCode);
            if (++_restarts > MaxRestarts)
            {
                return;
            }

            await Task.Delay(RestartPause);
            lock (_gate)
            {
                if (_isDownOnPurpose)
                {
                    return;
                }

                _process.StartAgain();
            }
        }
    }
}
