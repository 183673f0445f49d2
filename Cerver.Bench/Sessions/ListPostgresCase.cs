using Cerver.Bench.Gateways;

namespace Cerver.Bench.Sessions;

/// <summary>
/// Lists the twenty newest sessions of accounts with few and with many in PostgreSQL. Every account is a gateway's only one.
/// </summary>
internal sealed class ListPostgresCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "list-postgres";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var clusters = new Stack<ClusterProcesses>();
        await using var comparison = new SizeComparison();
        try
        {
            foreach (var size in bench.Sizes)
            {
                var cluster = await PostgresGateways.StartAsync(bench, Name, new(Silos: 1, FrontDoors: 0, SilosServe: true), cancellationToken);
                clusters.Push(cluster);
                var gateway = Gateway.At(cluster.Silos[0].Endpoint, cluster.Token);
                var session = await gateway.CreateSessionAsync(Gateway.TranscriptBody, cancellationToken);
                await PostgresFill.AddSessionsAsync(cluster, session, size, cancellationToken);
                await PostgresFill.SettleAsync(cluster, cancellationToken);
                await comparison.AddAsync(size, gateway, gateway.Request("GET", "/v2/sessions?limit=20"), cancellationToken);
            }

            await comparison.MeasureAsync(bench, Name, "sessions", cancellationToken);
        }
        finally
        {
            while (clusters.TryPop(out var cluster))
            {
                await cluster.DisposeAsync();
            }
        }
    }
}
