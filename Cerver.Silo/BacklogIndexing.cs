using Cerver.Errors;
using Cerver.Grains.Search;

namespace Cerver.Silo;

/// <summary>Indexes what was said before this version, while the gateway serves already. It begins when the silo has started; the hourly upkeep goes on with it.</summary>
internal sealed partial class BacklogIndexing(SearchBacklog backlog, ILogger<BacklogIndexing> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await backlog.RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogCutShort();
        }
        catch (CerverException failure)
        {
            LogFailed(failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Not all that was said before is indexed; that goes on at the next start")]
    private partial void LogCutShort();

    [LoggerMessage(Level = LogLevel.Error, Message = "What was said before could not be indexed to the end; it is tried again within the hour")]
    private partial void LogFailed(CerverException failure);
}
