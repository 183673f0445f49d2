using Cerver.Bench.Gateways;
using Cerver.Bench.Load;

namespace Cerver.Bench.Sessions;

/// <summary>Lists the twenty newest sessions of accounts with few and with many. Every account is a gateway's only one.</summary>
internal sealed class ListCase : IBenchCase
{
    private const int FillingClients = 64;

    /// <inheritdoc/>
    public string Name => "list";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var gateways = new Stack<Gateway>();
        await using var comparison = new SizeComparison();
        try
        {
            foreach (var size in bench.Sizes)
            {
                var gateway = await bench.OwnGatewayAsync(Name, cancellationToken);
                gateways.Push(gateway);
                await FillAsync(gateway, size, cancellationToken);
                await comparison.AddAsync(size, gateway, gateway.Request("GET", "/v2/sessions?limit=20"), cancellationToken);
            }

            await comparison.MeasureAsync(bench, Name, "sessions", cancellationToken);
        }
        finally
        {
            while (gateways.TryPop(out var gateway))
            {
                await gateway.DisposeAsync();
            }
        }
    }

    private static async Task FillAsync(Gateway gateway, int sessions, CancellationToken cancellationToken)
    {
        var requests = Enumerable.Repeat(gateway.Request("POST", "/v2/sessions", Gateway.TranscriptBody), FillingClients);
        await using var load = await LoadGenerator.OpenAsync(gateway.Endpoint, requests, cancellationToken);
        await load.SendAsync(sessions, cancellationToken);
    }
}
