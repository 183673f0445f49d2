using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Sessions;

namespace Cerver.Silo.Clustered;

/// <summary>
/// Closes the runs of hosts whose silos left the cluster, and sets their sessions idle. Local sandboxes end with the process of their silo, so nobody has to
/// wait for it to come back; one that does come back closes what it left by itself.
/// </summary>
/// <remarks>For others one silo looks, the eldest of those that there are. Two of them at once would do no harm.</remarks>
internal sealed partial class LostHosts(
    IClusterMembershipService membership, ILocalSiloDetails silo, ISandboxHosts hosts, SessionRecovery recovery, TimeProvider time, ILogger<LostHosts> logger)
    : BackgroundService
{
    /// <summary>How often to look. With the time until a silo is declared dead a lost run is closed well within half a minute.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Whether nothing is left of this host's last process. Its start has tried, and could not wait for what somebody still held.</summary>
    private bool _isOwnSettled;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await LookAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    private bool IsEldest() => membership.CurrentSnapshot.Members.Values
        .Where(member => member.Status == SiloStatus.Active)
        .Select(member => member.SiloAddress)
        .Min()?.Equals(silo.SiloAddress) == true;

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!_isOwnSettled)
            {
                _isOwnSettled = await recovery.RunAsync(host => host.Equals(hosts.Own, StringComparison.Ordinal), cancellationToken);
            }

            if (IsEldest())
            {
                var active = hosts.Active;
                await recovery.RunAsync(host => host.Length > 0 && !active.Contains(host), cancellationToken);
            }
        }
#pragma warning disable CA1031 // Nobody else closes what a lost silo left, so this goes on whatever happens.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What lost silos left going could not be looked for; that is tried again in some seconds")]
    private partial void LogFailed(Exception failure);
}
