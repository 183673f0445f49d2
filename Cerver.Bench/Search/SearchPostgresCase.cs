using Cerver.Bench.Gateways;
using Cerver.Bench.Sessions;

namespace Cerver.Bench.Search;

/// <summary>Searches over a million entries in PostgreSQL, and what the index costs an append, to a gateway that is one process.</summary>
internal sealed class SearchPostgresCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "search-postgres";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var load = new SearchLoad(bench, Name);
        await using var cluster = await PostgresGateways.StartAsync(bench, Name, new(Silos: 1, FrontDoors: 0, SilosServe: true), cancellationToken);
        var gateway = Gateway.At(cluster.Silos[0].Endpoint, cluster.Token);
        await using (var plain = await PostgresGateways.StartAsync(bench, Name, new(Silos: 1, FrontDoors: 0, SilosServe: true, Index: false), cancellationToken))
        {
            await load.MeasureAppendsAsync(gateway, Gateway.At(plain.Silos[0].Endpoint, plain.Token), cancellationToken);
        }

        var session = await load.FillAsync(gateway, cancellationToken);
        await PostgresFill.SettleAsync(cluster, cancellationToken);
        await load.MeasureSearchesAsync(gateway, session, cancellationToken);
    }
}
