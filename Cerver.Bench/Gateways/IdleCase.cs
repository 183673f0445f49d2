using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Gateways;

/// <summary>What a gateway takes that was used and has nothing to do.</summary>
internal sealed class IdleCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "idle";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var settling = TimeSpan.FromSeconds(bench.Options.Quick ? 2 : 60);
        var window = TimeSpan.FromSeconds(bench.Options.Quick ? 1 : 10);
        var windows = bench.Options.Quick ? 2 : 6;
        await using var gateway = await bench.OwnGatewayAsync(Name, cancellationToken);
        await UseAsync(gateway, cancellationToken);
        await Task.Delay(settling, cancellationToken);

        var processor = new List<double>();
        var memory = new List<double>();
        for (var measured = 0; measured < windows; measured++)
        {
            var before = gateway.Process.ProcessorTime;
            var started = TimeProvider.System.GetTimestamp();
            await Task.Delay(window, cancellationToken);
            processor.Add(100 * (gateway.Process.ProcessorTime - before) / TimeProvider.System.GetElapsedTime(started));
            memory.Add(await gateway.Process.ReadResidentBytesAsync(cancellationToken) / 1_000_000.0);
        }

        bench.Report.Add(Name, new("processor, idle", "% of a core", processor, Bound.AtMost(3)));
        bench.Report.Add(Name, new("resident memory, idle", "MB", memory, Bound.AtMost(180)));
    }

    // Code that was never called takes no memory, and a gateway that nobody uses is not what runs anywhere.
    private static async Task UseAsync(Gateway gateway, CancellationToken cancellationToken)
    {
        const int Requests = 200;
        var session = await gateway.CreateSessionAsync(Gateway.TranscriptBody, cancellationToken);
        ReadOnlyMemory<byte>[] requests =
        [
            gateway.Request("POST", $"/v2/sessions/{session}/transcript", Entries.Body(count: 1)),
            gateway.Request("GET", $"/v2/sessions/{session}?tail=10"),
            gateway.Request("GET", "/v2/sessions?limit=20"),
        ];
        await using var load = await LoadGenerator.OpenAsync(gateway.Endpoint, requests, cancellationToken);
        await load.SendAsync(Requests, cancellationToken);
    }
}
