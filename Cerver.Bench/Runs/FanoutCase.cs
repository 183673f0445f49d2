using System.Globalization;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Runs;

/// <summary>
/// Few and many who watch one run that prints its clock every 20 ms: how long a line takes to each of them, and what a watcher costs the
/// gateway in memory, beside the same program and watchers on Kestrel alone, which keeps nothing.
/// </summary>
internal sealed class FanoutCase : IBenchCase
{
    private const string Code =
        $"rm -f {BareServer.StopFile}; while [ ! -e {BareServer.StopFile} ]; do {PrintedClock.PrintLine}; sleep 0.02; done";

    /// <inheritdoc/>
    public string Name => "fanout";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        int[] sizes = bench.Options.Quick ? [1, 20] : [1, 100, 1_000];
        await using var gateway = await bench.OwnGatewayAsync(Name, cancellationToken);
        await using var bare = await BareServer.StartAsync(bench.Repository, cancellationToken);
        var session = await gateway.CreateSandboxAsync(cancellationToken);
        var series = sizes.Select(size => new Series(size)).ToList();
        for (var round = -1; round < bench.Rounds; round++)
        {
            foreach (var measured in series)
            {
                var (bareHalf, bareSlow) = await MeasureBareAsync(bench, bare, measured.Size, cancellationToken);
                var (half, slow, bytes) = await MeasureGatewayAsync(bench, gateway, session, measured.Size, cancellationToken);

                // The first one warms up.
                if (round >= 0)
                {
                    measured.BareHalves.Add(bareHalf);
                    measured.BareSlowest.Add(bareSlow);
                    measured.Halves.Add(half);
                    measured.Slowest.Add(slow);
                    measured.Bytes.Add(bytes / (double)measured.Size);
                }
            }
        }

        foreach (var measured in series)
        {
            Report(bench.Report, measured);
        }
    }

    private void Report(Report report, Series measured)
    {
        var watchers = measured.Size == 1 ? "1 watcher" : string.Create(CultureInfo.InvariantCulture, $"{measured.Size:#,0} watchers");
        var bare = new Figure($"bare Kestrel, {watchers}: median", "ms", measured.BareHalves);
        var half = new Figure($"{watchers}: median", "ms", measured.Halves);
        report.Add(Name, bare);
        report.Add(Name, new($"bare Kestrel, {watchers}: 99th percentile", "ms", measured.BareSlowest));
        report.Add(Name, half);
        report.Add(Name, new($"{watchers}: 99th percentile", "ms", measured.Slowest));
        report.Add(Name, Figure.Ratio(half, bare));
        if (measured.Size > 1)
        {
            report.Add(Name, new($"{watchers}: memory for each", "kB", [.. measured.Bytes.Select(bytes => bytes / 1_000)]));
        }
    }

    private static async Task<(double Half, double Slow)> MeasureBareAsync(
        Workbench bench, BareServer bare, int watchers, CancellationToken cancellationToken)
    {
        var server = Gateway.At(bare.Endpoint, "none");
        bare.Prepare(Code);
        using var watching = await ClockWatchers.OpenAsync(
            server,
            server.Request("POST", BareServer.LinesPath, "{}"),
            _ => server.Request("GET", BareServer.LinesPath),
            watchers,
            attaching: () => Task.CompletedTask,
            cancellationToken);
        await watching.MeasureAsync(DurationOf(bench), cancellationToken);
        bare.Stop();
        await watching.ReadToEndAsync();
        return (PrintedClock.Percentile(watching.Clocks, 0.5), PrintedClock.Percentile(watching.Clocks, 0.99));
    }

    private static async Task<(double Half, double Slow, long Bytes)> MeasureGatewayAsync(
        Workbench bench, Gateway gateway, string session, int watchers, CancellationToken cancellationToken)
    {
        var before = 0L;
        using var watching = await ClockWatchers.OpenAsync(
            gateway,
            RunStream.Start(gateway, session, Code),
            run => RunStream.Watch(gateway, session, run),
            watchers,
            attaching: async () => before = await gateway.Process.ReadResidentBytesAsync(cancellationToken),
            cancellationToken);
        await watching.MeasureAsync(DurationOf(bench), cancellationToken);
        var taken = await gateway.Process.ReadResidentBytesAsync(cancellationToken) - before;
        using var control = await HttpConnection.OpenAsync(gateway.Endpoint, cancellationToken);
        await control.ExchangeAsync(
            gateway.Request("POST", $"/v2/sessions/{session}/run", $$"""{"code":"touch {{BareServer.StopFile}}"}"""), cancellationToken);
        await watching.ReadToEndAsync();
        return (PrintedClock.Percentile(watching.Clocks, 0.5), PrintedClock.Percentile(watching.Clocks, 0.99), taken);
    }

    private static TimeSpan DurationOf(Workbench bench) => TimeSpan.FromSeconds(bench.Options.Quick ? 1 : 4);

    private sealed record Series(int Size)
    {
        public List<double> BareHalves { get; } = [];

        public List<double> BareSlowest { get; } = [];

        public List<double> Halves { get; } = [];

        public List<double> Slowest { get; } = [];

        public List<double> Bytes { get; } = [];
    }
}
