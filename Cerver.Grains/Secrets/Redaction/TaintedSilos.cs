using Cerver.Secrets;
using Orleans.Runtime.Services;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>All silos of the cluster, as to what accounts were given.</summary>
internal sealed class TaintedSilos(IServiceProvider services, IGrainFactory grains) : GrainServiceClient<ITaintService>(services)
{
    /// <summary>Has every silo redact values.</summary>
    public async Task AddAsync(string accountId, ImmutableArray<FetchedSecret> secrets) =>
        await Task.WhenAll((await ListAsync()).Select(silo => GetGrainService(silo).AddAsync(accountId, secrets)));

    /// <summary>What any silo knows of an account.</summary>
    public async Task<IEnumerable<FetchedSecret>> GatherAsync(string accountId) =>
        (await Task.WhenAll((await ListAsync()).Select(silo => GetGrainService(silo).ListAsync(accountId)))).SelectMany(static known => known);

    /// <summary>The silos that may write, as the table of members has them: one that joined a moment ago is among them, and one that is about to leave.</summary>
    private async Task<IEnumerable<SiloAddress>> ListAsync() =>
        (await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: false))
            .Where(static silo => silo.Value is SiloStatus.Joining or SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping)
            .Select(static silo => silo.Key);
}
