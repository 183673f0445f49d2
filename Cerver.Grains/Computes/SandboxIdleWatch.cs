using Cerver.Errors;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes;

/// <summary>
/// Asks, time-out after time-out, whether a sandbox that is up is still needed. The timer interleaves with calls, because the session suspends the
/// sandbox before it answers; and the session decides, because a run may be on its way from there.
/// </summary>
/// <param name="ask">Asks; gives how long to wait before the next question, zero when the sandbox has been taken down.</param>
/// <param name="isUp">Whether the sandbox is up.</param>
/// <param name="sandboxId">Names the sandbox in the log.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class SandboxIdleWatch(Func<CancellationToken, Task<TimeSpan>> ask, Func<bool> isUp, string sandboxId, ILogger logger)
{
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(30);

    private IGrainTimer? _timer;
    private TimeSpan _timeout;

    /// <summary>Asks for the first time when a time-out has passed.</summary>
    /// <param name="grain">The grain of the sandbox.</param>
    /// <param name="timeout">The time-out, at most 30 days.</param>
    public void Begin(IGrainBase grain, TimeSpan timeout)
    {
        _timeout = timeout;
        _timer ??= grain.RegisterGrainTimer(AskAsync, new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true });
        After(timeout);
    }

    /// <summary>Asks no more. A question that is under way goes on.</summary>
    public void Stop() => After(Timeout.InfiniteTimeSpan);

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        var next = _timeout < MaxRetryDelay ? _timeout : MaxRetryDelay;
        try
        {
            next = await ask(cancellationToken);
            if (next == TimeSpan.Zero)
            {
                // It may have been brought up again since.
                next = isUp() ? _timeout : Timeout.InfiniteTimeSpan;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The activation ends, and the sandbox with it.
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            LogAskFailed(failure, sandboxId);
        }
        finally
        {
            // Also after a mistake of ours, which Orleans logs: a sandbox that nobody asks about would stay up for ever.
            if (!cancellationToken.IsCancellationRequested)
            {
                After(next);
            }
        }
    }

    private void After(TimeSpan delay) => _timer?.Change(delay, Timeout.InfiniteTimeSpan);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The session of sandbox {SandboxId} could not be asked whether it is idle and will be asked again")]
    private partial void LogAskFailed(Exception failure, string sandboxId);
}
