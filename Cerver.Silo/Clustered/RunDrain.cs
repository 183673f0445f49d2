using Cerver.Grains.Computes.Hosts;

namespace Cerver.Silo.Clustered;

/// <summary>Lets the runs of this silo end before it leaves the cluster. Those that take longer are lost with it.</summary>
internal sealed partial class RunDrain(SandboxDrain drain, TimeProvider time, ILogger<RunDrain> logger) : IHostedService
{
    /// <summary>Half of what a stop may take: Orleans needs some of it, and so do calls that are under way.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await drain.LeaveAsync().WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogCutShort(Patience);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Some runs were not over {Patience} after the silo was asked to stop; they are closed as lost")]
    private partial void LogCutShort(TimeSpan patience);
}
