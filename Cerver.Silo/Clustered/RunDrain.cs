using Cerver.Grains.Computes.Hosts;

namespace Cerver.Silo.Clustered;

/// <summary>
/// Lets the runs of this silo end before it leaves the cluster, and none begin from the moment on that it is asked to stop. Those that take longer are lost with it.
/// </summary>
internal sealed partial class RunDrain(SandboxDrain drain, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<RunDrain> logger)
    : IHostedService, IDisposable
{
    /// <summary>Half of what a stop may take: Orleans needs the rest to hand grains over.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A session brings its sandbox up, puts the run on record and then has it started. What has come through the first of these gets the last
    /// one too: otherwise the record would tell of a run that was lost and never began.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private Task _quiet = Task.CompletedTask;
    private long _asked;
    private CancellationTokenRegistration _stopping;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _stopping = lifetime.ApplicationStopping.Register(() =>
        {
            _asked = time.GetTimestamp();
            drain.Close();
            _quiet = LeaveAsync();
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var left = Patience - time.GetElapsedTime(_asked);
        try
        {
            await _quiet.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancellationToken);
        }
        catch (Exception over) when (over is TimeoutException or OperationCanceledException)
        {
            LogCutShort(Patience);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    private async Task LeaveAsync()
    {
        await Task.Delay(Grace, time);
        await drain.LeaveAsync();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Some runs were not over {Patience} after the silo was asked to stop; they are closed as lost")]
    private partial void LogCutShort(TimeSpan patience);
}
