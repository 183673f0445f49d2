using System.Collections.Concurrent;
using System.Globalization;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;
using Cerver.Grains.Computes.Relays;
using Cerver.Relay.Runs;
using Cerver.Runs;
using Microsoft.Extensions.Options;

namespace Cerver.Relay;

/// <summary>The sandboxes of this machine, those that the gateway itself has on its own, and the runs in them.</summary>
internal sealed partial class RelaySandboxHost(
    LocalComputeProvider provider, IOptions<RelaySettings> settings, TimeProvider time, ILogger<RelaySandboxHost> logger) : IAsyncDisposable
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MaxRunTimeout = TimeSpan.FromDays(1);
    private static readonly TimeSpan OpenInterval = TimeSpan.FromSeconds(30);

    private readonly string _runsDirectory = Directory.CreateDirectory(Path.Combine(settings.Value.Data!, "runs")).FullName;
    private readonly string _openDirectory = Directory.CreateDirectory(Path.Combine(settings.Value.Data!, "open")).FullName;
    private readonly ConcurrentDictionary<string, OpenSandbox> _sandboxes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, RelayRun> _runs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LostSandbox> _lost = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _closing = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _opening = new(1);
    private readonly Lock _gate = new();
    private long _generation;
    private volatile bool _isLeaving;
    private (Func<string, RelayEvent, CancellationToken, Task> Send, CancellationToken Until)? _line;

    /// <summary>What this machine can do, as it is now.</summary>
    public ComputeInfo Describe() => provider.Describe();

    /// <summary>Finds out what this machine can do, and what another process of the relay left: its runs ended with it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await provider.ProbeAsync(cancellationToken);
        foreach (var spool in RunSpool.Reopen(_runsDirectory))
        {
            if (!spool.IsComplete)
            {
                spool.Complete(exitCode: null, timedOut: false);
            }

            _runs[spool.Run.RunId] = new RelayRun(spool, process: null, LoseAsync, time);
        }

        foreach (var marker in Directory.EnumerateFiles(_openDirectory))
        {
            _lost[Path.GetFileName(marker)] =
                new LostSandbox(long.TryParse(await File.ReadAllTextAsync(marker, cancellationToken), CultureInfo.InvariantCulture, out var generation) ? generation : 0);
        }

        await provider.EraseAsync(cancellationToken);
    }

    /// <summary>Sends to the gateway what it does not know yet, and what happens from now on, as long as the line holds.</summary>
    /// <param name="send">Sends an event of a session.</param>
    /// <param name="until">Is cancelled when the line is down.</param>
    public void Connect(Func<string, RelayEvent, CancellationToken, Task> send, CancellationToken until)
    {
        lock (_gate)
        {
            _line = (send, until);
        }

        foreach (var run in _runs.Values)
        {
            Connect(run);
        }

        foreach (var (sandboxId, lost) in _lost)
        {
            Tell(sandboxId, RelayWords.Closed, lost.Generation);
        }

        _ = TellOpenAsync(until);
    }

    /// <summary>The gateway has taken events, or wants to hear no more. Waits for nothing: whoever reads from the gateway has other things to read.</summary>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="runId">The run, or null for the sandbox itself.</param>
    /// <param name="sequence">The last event of the run that was taken; of the sandbox itself, which opening of it is meant.</param>
    /// <param name="isOver">Whether nobody wants it any more.</param>
    public void Acknowledge(string sandboxId, string? runId, long sequence, bool isOver)
    {
        if (runId is not null)
        {
            if (_runs.TryGetValue(runId, out var run))
            {
                run.Acknowledge(sequence);
                if (isOver)
                {
                    run.Stop(TimeSpan.Zero);
                    Forget(runId);
                }
            }
        }
        else if (_lost.TryGetValue(sandboxId, out var lost) && lost.Generation == sequence && _lost.TryRemove(KeyValuePair.Create(sandboxId, lost)))
        {
            File.Delete(MarkerOf(sandboxId));
            lost.Taken.TrySetResult();
        }
        else if (isOver && IsUp(sandboxId, sequence) && _closing.TryAdd(sandboxId, sequence))
        {
            _ = CloseAsync(sandboxId, sequence);
        }
    }

    /// <summary>Nothing of a run need be kept: its gateway has everything for good.</summary>
    public void Forget(string runId)
    {
        if (_runs.TryRemove(runId, out var run))
        {
            run.Forget();
        }
    }

    /// <summary>The sandboxes that are here.</summary>
    public async Task<ImmutableArray<RelaySandbox>> ListAsync(CancellationToken cancellationToken) =>
    [
        .. _sandboxes.Select(static open => new RelaySandbox(open.Key, RelayWords.ReadyStatus, open.Value.Generation)),
        .. (await provider.ListAsync(cancellationToken)).Select(static sandboxId => new RelaySandbox(sandboxId, RelayWords.ClosedStatus)),
    ];

    /// <summary>Brings a sandbox up. One that is up stays as it is, and counts as opened anew.</summary>
    public async Task<RelaySandbox> OpenAsync(OpenRelaySandbox request, CancellationToken cancellationToken)
    {
        var sandboxId = request.SandboxId ?? Ids.NewSandbox(time);
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_isLeaving)
            {
                throw new CerverException(CerverError.HostUnavailable, "The relay of this machine has been asked to stop, and opens no sandbox any more.");
            }

            var known = _sandboxes.GetValueOrDefault(sandboxId)?.Sandbox;
            var sandbox = known ?? await provider.OpenAsync(new SandboxSpec(sandboxId, request.Network), cancellationToken);
            var open = new OpenSandbox(sandbox, _generation = Math.Max(_generation + 1, time.GetUtcNow().ToUnixTimeMilliseconds()));
            _lost.TryRemove(sandboxId, out _);
            _sandboxes[sandboxId] = open;
            _ = WatchAsync(sandboxId, open);

            // When this fails the gateway hears so, and the sandbox is there to be found open or closed.
            await File.WriteAllTextAsync(MarkerOf(sandboxId), open.Generation.ToString(CultureInfo.InvariantCulture), CancellationToken.None);
            return new RelaySandbox(sandboxId, RelayWords.ReadyStatus, open.Generation);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Does something while no sandbox comes up, whose files may get another owner then.</summary>
    public async Task<T> WhileNoneOpensAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            return await act();
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Ends every process of a sandbox and keeps its files. One that is not up stays as it is.</summary>
    public async Task<RelaySandbox> CloseAsync(string sandboxId)
    {
        await _opening.WaitAsync();
        try
        {
            await CloseFoundAsync(sandboxId);
            return new RelaySandbox(sandboxId, RelayWords.ClosedStatus);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Ends every process of a sandbox and removes its files.</summary>
    public async Task RemoveAsync(string sandboxId, CancellationToken cancellationToken)
    {
        await CloseAsync(sandboxId);
        await provider.RemoveAsync(sandboxId, cancellationToken);
        foreach (var run in _runs.Values.Where(run => run.Run.SandboxId.Equals(sandboxId, StringComparison.Ordinal)))
        {
            Forget(run.Run.RunId);
        }
    }

    /// <summary>Starts a run. One that was started before goes on as it does.</summary>
    public async Task StartAsync(string sandboxId, StartRelayRun request, CancellationToken cancellationToken)
    {
        if (!Ids.IsRun(request.RunId))
        {
            throw new CerverException(CerverError.InvalidRequest, "'run_id' must be the id of a run.", "run_id");
        }

        if (_runs.ContainsKey(request.RunId))
        {
            return;
        }

        // Before the program: what it prints must have a place.
        var sandbox = Find(sandboxId);
        var spool = RunSpool.Create(_runsDirectory, new RelayedRun(request.RunId, sandboxId, request.SessionId));
        ISandboxProcess process;
        try
        {
            process = await sandbox.StartAsync(
                new SandboxCommand(request.Code, ComputeRequirements.ParseRuntime(request.Runtime, "runtime"), request.Envs), cancellationToken);
        }
        catch
        {
            spool.Delete();
            throw;
        }

        var run = new RelayRun(spool, process, LoseAsync, time);
        _runs[request.RunId] = run;
        run.Recorded = RecordAsync(run, request);
        Connect(run);
    }

    /// <summary>Stops a run. One that is over, or that nobody knows, is fine.</summary>
    public void Stop(string runId, StopRelayRun request)
    {
        if (_runs.TryGetValue(runId, out var run))
        {
            run.Stop(TimeSpan.FromMilliseconds(Math.Clamp(request.GraceMs, 0, 3_600_000)));
        }
    }

    /// <summary>
    /// Ends everything that runs here, while the gateway can still hear of it, and waits until it has: of what was printed, of the ends of the runs, and then that the sandboxes are
    /// down. What it does not hear it hears the next time.
    /// </summary>
    /// <param name="limit">How long that may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task LeaveAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        _isLeaving = true;
        CancellationToken down;
        lock (_gate)
        {
            down = _line?.Until ?? new CancellationToken(canceled: true);
        }

        using var late = new CancellationTokenSource(limit, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(late.Token, down, cancellationToken);
        try
        {
            await Task.WhenAll(
            [
                .. _sandboxes.Select(open => LeaveAsync(open.Key, open.Value, over.Token)),
                .. _runs.Values.Select(run => run.WaitUntilTakenAsync(over.Token)),
                .. _lost.Values.Select(lost => lost.Taken.Task.WaitAsync(over.Token)),
            ]);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            LogUnheard();
        }
    }

    /// <summary>Ends everything that runs here. What was printed is kept and sent the next time.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_sandboxes.Values.Select(static open => open.Sandbox.DisposeAsync().AsTask()));
        await Task.WhenAll(_runs.Values.Select(static run => run.Recorded));

        foreach (var run in _runs.Values)
        {
            run.Dispose();
        }

        _opening.Dispose();
    }

    private string MarkerOf(string sandboxId) => Path.Combine(_openDirectory, sandboxId);

    private ISandbox Find(string sandboxId) => _sandboxes.GetValueOrDefault(sandboxId)?.Sandbox ?? throw new SandboxDownException();

    private bool IsUp(string sandboxId, long generation) => _sandboxes.TryGetValue(sandboxId, out var open) && open.Generation == generation;

    /// <summary>
    /// Closes a sandbox that was to go down while the line was, unless it was opened since. One at a time for each: the gateway hears again and again that it is up, and says again
    /// that it is to go down.
    /// </summary>
    private async Task CloseAsync(string sandboxId, long generation)
    {
        try
        {
            await WhileNoneOpensAsync(
                async () =>
                {
                    if (IsUp(sandboxId, generation))
                    {
                        await CloseFoundAsync(sandboxId);
                    }

                    return true;
                },
                CancellationToken.None);
        }
#pragma warning disable CA1031 // Nobody waits for this, so nothing may get lost here.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogCloseFailed(failure, sandboxId);
        }
        finally
        {
            _closing.TryRemove(sandboxId, out _);
        }
    }

    private async Task CloseFoundAsync(string sandboxId)
    {
        if (_sandboxes.TryRemove(sandboxId, out var open))
        {
            await open.Sandbox.DisposeAsync();
            File.Delete(MarkerOf(sandboxId));
        }
    }

    private void Connect(RelayRun run)
    {
        (Func<string, RelayEvent, CancellationToken, Task> Send, CancellationToken Until)? line;
        lock (_gate)
        {
            line = _line;
        }

        if (line is { } up)
        {
            run.Connect((what, token) => up.Send(run.Run.SessionId, what, token), up.Until);
        }
    }

    private void Tell(string sandboxId, string what, long generation)
    {
        lock (_gate)
        {
            if (_line is { } line && !line.Until.IsCancellationRequested)
            {
                // Which session it is of only the gateway knows. What cannot be sent now is sent when the line is up again.
                line.Send("", new RelayEvent(what, sandboxId, Generation: generation), line.Until).Ignore();
            }
        }
    }

    /// <summary>Says which sandboxes are up, again and again: a process of the gateway that is new may not know of one, and one that was to go down may not have heard of it.</summary>
    private async Task TellOpenAsync(CancellationToken until)
    {
        using var timer = new PeriodicTimer(OpenInterval, time);
        try
        {
            do
            {
                foreach (var (sandboxId, open) in _sandboxes)
                {
                    Tell(sandboxId, RelayWords.Open, open.Generation);
                }
            }
            while (await timer.WaitForNextTickAsync(until));
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            // The line is down, and the next one says it anew.
        }
    }

    private async Task WatchAsync(string sandboxId, OpenSandbox open)
    {
        await open.Sandbox.Closed;
        if (_sandboxes.TryRemove(KeyValuePair.Create(sandboxId, open)))
        {
            LogLost(sandboxId);
            await open.Sandbox.DisposeAsync();
            TellLost(sandboxId, open.Generation);
        }
    }

    /// <summary>Takes a sandbox down, and tells so when all is told that was printed in it: what comes later nobody would take.</summary>
    private async Task LeaveAsync(string sandboxId, OpenSandbox open, CancellationToken cancellationToken)
    {
        if (!_sandboxes.TryRemove(KeyValuePair.Create(sandboxId, open)))
        {
            return;
        }

        await open.Sandbox.DisposeAsync().AsTask().WaitAsync(cancellationToken);
        await Task.WhenAll(_runs.Values.Where(run => run.Run.SandboxId.Equals(sandboxId, StringComparison.Ordinal)).Select(run => run.WaitUntilTakenAsync(cancellationToken)));
        await TellLost(sandboxId, open.Generation).Taken.Task.WaitAsync(cancellationToken);
    }

    private LostSandbox TellLost(string sandboxId, long generation)
    {
        var lost = _lost[sandboxId] = new LostSandbox(generation);
        Tell(sandboxId, RelayWords.Closed, generation);
        return lost;
    }

    private async Task RecordAsync(RelayRun run, StartRelayRun request)
    {
        var timeout = TimeSpan.FromMilliseconds(Math.Clamp(request.TimeoutMs, 0, (long)MaxRunTimeout.TotalMilliseconds));
        await using var limit = time.CreateTimer(_ => run.TimeOut(StopGrace), state: null, timeout, Timeout.InfiniteTimeSpan);
        try
        {
            await run.RecordAsync(request.MaxOutputBytes);
        }
#pragma warning disable CA1031 // Nobody waits for this, so nothing may get lost here.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogUnread(failure, run.Run.RunId);
        }
    }

    /// <summary>The disk is full or broken. Output must not be lost without a sign, so the sandbox goes down, and the gateway hears of that.</summary>
    private async Task LoseAsync(RelayedRun run, Exception failure)
    {
        LogSpoolFailed(failure, run.RunId);
        if (_sandboxes.TryGetValue(run.SandboxId, out var open))
        {
            await open.Sandbox.DisposeAsync();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {SandboxId} went down by itself")]
    private partial void LogLost(string sandboxId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gateway has not heard of all that ended here; it does when the relay is started again")]
    private partial void LogUnheard();

    [LoggerMessage(Level = LogLevel.Error, Message = "Sandbox {SandboxId}, which the gateway does not want any more, could not be closed; the gateway says it again")]
    private partial void LogCloseFailed(Exception failure, string sandboxId);

    [LoggerMessage(Level = LogLevel.Error, Message = "What run {RunId} printed could not be kept; its sandbox was closed")]
    private partial void LogSpoolFailed(Exception failure, string runId);

    [LoggerMessage(Level = LogLevel.Error, Message = "What run {RunId} printed could not be read to its end")]
    private partial void LogUnread(Exception failure, string runId);

    /// <summary>A sandbox that is up.</summary>
    /// <param name="Sandbox">The sandbox.</param>
    /// <param name="Generation">Which opening of it, a number that only goes up.</param>
    private sealed record OpenSandbox(ISandbox Sandbox, long Generation);

    /// <summary>A sandbox that went down, until the gateway has heard of it.</summary>
    private sealed class LostSandbox(long generation)
    {
        /// <summary>Which opening of it.</summary>
        public long Generation => generation;

        /// <summary>Completes when the gateway has.</summary>
        public TaskCompletionSource Taken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
