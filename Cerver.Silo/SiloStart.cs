using Cerver.Grains.Computes;
using Cerver.Grains.Sessions;
using Cerver.Upkeep;

namespace Cerver.Silo;

/// <summary>What a silo does first. In a cluster it takes calls already, so nothing here touches a sandbox that is up.</summary>
internal static class SiloStart
{
    /// <summary>
    /// How often it is tried to close what the last process left. In a cluster <see cref="Clustered.LostHosts"/> goes on with what is left
    /// then; in one process there is something wrong with it that a later start may find gone.
    /// </summary>
    private const int Attempts = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Brings what the last process left in order.</summary>
    /// <param name="services">The silo's.</param>
    /// <param name="isGone">Whether the process that had the sandboxes of a host is gone.</param>
    /// <param name="sweepBefore">Of sandboxes made before, the files go that no session has.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task SettleAsync(
        IServiceProvider services, Func<string, bool> isGone, DateTimeOffset sweepBefore, CancellationToken cancellationToken)
    {
        var recovery = services.GetRequiredService<SessionRecovery>();
        for (var attempt = 1; !await recovery.RunAsync(isGone, cancellationToken) && attempt < Attempts; attempt++)
        {
            await Task.Delay(Pause, services.GetRequiredService<TimeProvider>(), cancellationToken);
        }

        // The probe has a sandbox of its own, which must not be taken for one that was left. Orleans runs start-up tasks side by side, so
        // this is one.
        if (services.GetService<LocalComputeStart>() is { } local)
        {
            await local.Probed.WaitAsync(cancellationToken);
        }

        await services.GetRequiredService<SandboxSweep>().RunAtStartAsync(sweepBefore, cancellationToken);
        await services.GetRequiredService<IGrainFactory>().GetGrain<IUpkeepGrain>(0).BeginAsync(cancellationToken);
    }
}
