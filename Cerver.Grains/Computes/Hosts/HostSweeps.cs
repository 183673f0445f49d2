using Cerver.Computes;
using Cerver.Grains.Upkeep;

namespace Cerver.Grains.Computes.Hosts;

/// <summary>Has every host of the cluster clean up. One that fails keeps no other from it.</summary>
internal sealed class HostSweeps(ISandboxHosts hosts, IGrainFactory grains) : IUpkeep
{
    /// <inheritdoc/>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        hosts.Active.Prepend("").Select(host => grains.GetGrain<IComputeHostGrain>(ComputeHostKey.For(host)).SweepAsync(cancellationToken)));
}
