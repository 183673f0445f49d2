using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Cerver.Grains.Computes.Hosts;

/// <summary>Puts a grain on the silo of the host that its key ends with.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class HostPlacementAttribute() : PlacementAttribute(new HostPlacement());

/// <inheritdoc cref="HostPlacementAttribute"/>
[GenerateSerializer, Immutable, Alias("cerver.compute.host-placement")]
internal sealed class HostPlacement : PlacementStrategy;

/// <summary>
/// Finds the silo. A grain whose host is not in the cluster is put on any other silo, where it knows that it is not at home: somebody has to answer for the
/// sandbox, if only to say that it cannot be reached.
/// </summary>
internal sealed class HostPlacementDirector(ISandboxHosts hosts) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var home = hosts.Find(HostIn(target.GrainIdentity.Key.ToString()!));
        return Task.FromResult(home is not null && silos.Contains(home) ? home
            : silos.Contains(context.LocalSilo) ? context.LocalSilo
            : silos[Random.Shared.Next(silos.Length)]);
    }

    /// <summary>The host that a key ends with, be it a sandbox's or a host's own.</summary>
    private static string HostIn(string key)
    {
        var name = key[(key.LastIndexOfAny(['/', ':']) + 1)..];
        return name.Length == Ids.HostLength ? name : Ids.HostOfSandbox(name);
    }
}
