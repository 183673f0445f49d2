using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Cerver.Grains.Computes;

/// <summary>The runs of one sandbox: recorded while they go on, and told to their session when they are over.</summary>
/// <param name="runs">Where their output goes.</param>
/// <param name="sandboxId">Names the sandbox in the log.</param>
/// <param name="maxOutputBytes">Output of a run beyond is left out.</param>
/// <param name="changed">Is told when a run begins or is over.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class SandboxRuns(
    IRunStore runs, string sandboxId, long maxOutputBytes, Action changed, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, GoingRun> _going = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopped = new();

    /// <summary>Runs that go on, or whose end the session was not told yet.</summary>
    public ImmutableArray<string> Going => [.. _going.Keys];

    /// <summary>Whether a run is among them.</summary>
    public bool IsGoing(string runId) => _going.ContainsKey(runId);

    /// <summary>Records a run until it is over, and tells its session then.</summary>
    /// <param name="followed">The run.</param>
    /// <param name="sessionId">The session that it belongs to.</param>
    /// <param name="session">That session.</param>
    /// <param name="stream">Where watchers hear of it.</param>
    public void Record(FollowedRun followed, string sessionId, ISessionGrain session, IAsyncStream<RunOutput> stream)
    {
        var recorder = new RunRecorder(
            sessionId,
            followed.Run,
            followed.Process,
            followed.Taints,
            runs,
            () => session.OutputRecordedAsync().Ignore(),
            output => PublishAsync(stream, output),
            maxOutputBytes,
            time,
            logger,
            followed.Recorded);
        var going = new GoingRun(followed, recorder);
        _going.Add(going.RunId, going);
        going.Reported = ReportAsync(going, session);
        changed();
    }

    /// <summary>Waits until the session knows that a run is over.</summary>
    /// <returns>How far it has come by then, or null when it is not going here.</returns>
    public async Task<RunHead?> WaitAsync(string runId, TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (!_going.TryGetValue(runId, out var going))
        {
            return null;
        }

        if (!going.Reported.IsCompleted && atMost > TimeSpan.Zero)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(going.Reported, Task.Delay(atMost, time, over.Token));
            await over.CancelAsync();
        }

        return new RunHead(going.Recorder.Head, going.Reported.IsCompletedSuccessfully);
    }

    /// <summary>Stops a run.</summary>
    /// <returns>Whether it was going.</returns>
    public bool Cancel(string runId)
    {
        var found = _going.TryGetValue(runId, out var going);
        going?.Recorder.Stop(RunStatus.Cancelled);
        return found;
    }

    /// <summary>Notes that the sandbox is going down, and every run with it.</summary>
    public void ExpectEnd()
    {
        foreach (var going in _going.Values)
        {
            going.Recorder.ExpectEnd(RunStatus.Cancelled);
        }
    }

    /// <summary>How the runs ended, when the sandbox is down. All their output is on disk.</summary>
    public async Task<ImmutableArray<RunEnd>> EndAsync() => [.. await Task.WhenAll(_going.Values.Select(going => going.Recorded))];

    /// <summary>Tells the session something, again and again until it has been told or this is stopped.</summary>
    public async Task TellAsync(Func<CancellationToken, Task> tell)
    {
        var delay = FirstDelay;
        while (true)
        {
            _stopped.Token.ThrowIfCancellationRequested();
            try
            {
                await tell(_stopped.Token);
                return;
            }
            catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
            {
                LogTellFailed(failure, sandboxId);
                await Task.Delay(delay, time, _stopped.Token);
                delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
            }
        }
    }

    /// <summary>Gives up on telling. The next start of the gateway closes what was not told.</summary>
    public Task StopTellingAsync() => _stopped.CancelAsync();

    /// <inheritdoc/>
    public void Dispose() => _stopped.Dispose();

    private async Task ReportAsync(GoingRun going, ISessionGrain session)
    {
        try
        {
            var ended = await going.Recorded;
            await TellAsync(token => session.CompleteRunAsync(ended, token));
            going.Followed.Process.Forget();
            _going.Remove(going.RunId);
            changed();
        }
        catch (RunDetachedException)
        {
            // It goes on, and whoever follows it next tells its session.
            _going.Remove(going.RunId);
        }
        finally
        {
            going.Followed.Over();
        }
    }

    private async Task PublishAsync(IAsyncStream<RunOutput> stream, RunOutput output)
    {
        try
        {
            await stream.OnNextAsync(output);
        }
        catch (Exception failure) when (failure is OrleansException or TimeoutException)
        {
            // Nothing is lost by it: watchers find out and read the rows.
            LogPublishFailed(failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What happened in sandbox {SandboxId} could not be told to its session and will be told again")]
    private partial void LogTellFailed(Exception failure, string sandboxId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Live output could not be published")]
    private partial void LogPublishFailed(Exception failure);

    /// <summary>A run that is going on or whose end the session was not told yet.</summary>
    private sealed class GoingRun(FollowedRun followed, RunRecorder recorder)
    {
        public FollowedRun Followed { get; } = followed;

        public string RunId => Followed.Run.RunId;

        public RunRecorder Recorder { get; } = recorder;

        public Task<RunEnd> Recorded { get; } = recorder.RecordAsync();

        /// <summary>Completes when the session has recorded the end.</summary>
        public Task Reported { get; set; } = Task.CompletedTask;
    }
}

/// <summary>A run that is to be recorded.</summary>
/// <param name="Run">The run.</param>
/// <param name="Process">Its program.</param>
/// <param name="Taints">The values that are left out of what is written.</param>
/// <param name="Over">Is told when it is not recorded any more.</param>
/// <param name="Recorded">What another process recorded of it, or null.</param>
internal sealed record FollowedRun(SandboxRun Run, ISandboxProcess Process, AccountTaints Taints, Action Over, RecordedOutput? Recorded = null);
