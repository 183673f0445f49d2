using Cerver.Bench.Gateways;
using Cerver.Bench.Load;

namespace Cerver.Bench.Sessions;

/// <summary>Reads the last ten entries of short and long transcripts.</summary>
internal sealed class TailCase : IBenchCase
{
    private const int EntriesPerAppend = 1_000;

    /// <inheritdoc/>
    public string Name => "tail";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        await using var gateway = await bench.GatewayAsync(cancellationToken);
        await using var comparison = new SizeComparison();
        foreach (var size in bench.Sizes)
        {
            var session = await gateway.CreateSessionAsync(Gateway.TranscriptBody, cancellationToken);
            await FillAsync(gateway, session, size, cancellationToken);
            await comparison.AddAsync(size, gateway, gateway.Request("GET", $"/v2/sessions/{session}?tail=10"), cancellationToken);
        }

        await comparison.MeasureAsync(bench, Name, "entries", cancellationToken);
    }

    private static async Task FillAsync(Gateway gateway, string session, int entries, CancellationToken cancellationToken)
    {
        using var connection = await HttpConnection.OpenAsync(gateway.Endpoint, cancellationToken);
        for (var left = entries; left > 0; left -= EntriesPerAppend)
        {
            var body = Entries.Body(Math.Min(left, EntriesPerAppend));
            await connection.ExchangeAsync(gateway.Request("POST", $"/v2/sessions/{session}/transcript", body), cancellationToken);
        }
    }
}
