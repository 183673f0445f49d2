using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Sessions;

namespace Cerver.Silo;

/// <summary>
/// Erases what the last process left of sessions and sandboxes, while this one serves already: it is out of sight, and erasing it takes the
/// longer the more there is. It begins when the silo has started.
/// </summary>
internal sealed partial class LeftoverErasure(ISessionStore sessions, SandboxSweep sandboxes, TimeProvider time, ILogger<LeftoverErasure> logger) : BackgroundService
{
    /// <summary>After this it is as well left to the hourly upkeep and the next start.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stoppingToken);
        await EraseAsync("sessions", sessions.ResumePurgesAsync, over.Token);
        await EraseAsync("sandboxes", sandboxes.EraseAsync, over.Token);
    }

    private async Task EraseAsync(string what, Func<CancellationToken, Task> erase, CancellationToken cancellationToken)
    {
        try
        {
            await erase(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogCutShort(what);
        }
        catch (CerverException failure)
        {
            LogFailed(failure, what);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "What was left of erased {What} was not erased to the end; it goes on at the next start")]
    private partial void LogCutShort(string what);

    [LoggerMessage(Level = LogLevel.Error, Message = "What was left of erased {What} could not be erased; it is tried again at the next start")]
    private partial void LogFailed(CerverException failure, string what);
}
