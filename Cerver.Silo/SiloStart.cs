using Cerver.Grains.Computes;
using Cerver.Grains.Sessions;
using Cerver.Upkeep;

namespace Cerver.Silo;

/// <summary>What a silo does before its first request.</summary>
internal static class SiloStart
{
    /// <summary>Brings what the last process left in order.</summary>
    /// <param name="services">The silo's.</param>
    /// <param name="isGone">Whether the process that had the sandboxes of a host is gone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task SettleAsync(IServiceProvider services, Func<string, bool> isGone, CancellationToken cancellationToken)
    {
        await services.GetRequiredService<SessionRecovery>().RunAsync(isGone, cancellationToken);

        // The probe has a sandbox of its own, which must not be taken for one that was left. Orleans runs start-up tasks side by side, so this is one.
        if (services.GetService<LocalComputeStart>() is { } local)
        {
            await local.Probed.WaitAsync(cancellationToken);
        }

        await services.GetRequiredService<SandboxSweep>().RunAtStartAsync(cancellationToken);
        await services.GetRequiredService<IGrainFactory>().GetGrain<IUpkeepGrain>(0).BeginAsync(cancellationToken);
    }
}
