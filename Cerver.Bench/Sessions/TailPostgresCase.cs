using Cerver.Bench.Gateways;

namespace Cerver.Bench.Sessions;

/// <summary>Reads the last ten entries of short and long transcripts in PostgreSQL.</summary>
internal sealed class TailPostgresCase : IBenchCase
{
    private const int LongestTranscript = 1_000_000;

    /// <inheritdoc/>
    public string Name => "tail-postgres";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        IReadOnlyList<int> sizes = bench.Options.Quick ? bench.Sizes : [.. bench.Sizes.SkipLast(1), LongestTranscript];
        await using var cluster = await PostgresGateways.StartAsync(bench, Name, new(Silos: 1, FrontDoors: 0, SilosServe: true), cancellationToken);
        await using var comparison = new SizeComparison();
        var gateway = Gateway.At(cluster.Silos[0].Endpoint, cluster.Token);
        foreach (var size in sizes)
        {
            var session = await gateway.CreateSessionAsync(Gateway.TranscriptBody, cancellationToken);
            await PostgresFill.AddEntriesAsync(cluster, session, size, cancellationToken);
            await comparison.AddAsync(size, gateway, gateway.Request("GET", $"/v2/sessions/{session}?tail=10"), cancellationToken);
        }

        await PostgresFill.SettleAsync(cluster, cancellationToken);
        await comparison.MeasureAsync(bench, Name, "entries", cancellationToken);
    }
}
