using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Sessions;

/// <summary>Clients that append small entries, each to a session of its own, beside the rate at which SQLite commits single rows.</summary>
internal sealed class AppendCase : IBenchCase
{
    private static readonly (int Clients, Bound? Target)[] Loads = [(1, null), (32, Bound.AtLeast(1.5)), (256, Bound.AtLeast(2))];

    /// <inheritdoc/>
    public string Name => "append";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var duration = TimeSpan.FromSeconds(bench.Options.Quick ? 0.3 : 3);
        await using var gateway = await bench.GatewayAsync(cancellationToken);
        using var sqlite = new BareSqlite(bench.Repository);
        var series = new List<Series>();
        try
        {
            foreach (var (clients, target) in Loads)
            {
                var name = clients == 1 ? "append, 1 client" : $"append, {clients} clients";
                series.Add(new(name, target, await Appenders.OpenAsync(gateway, clients, cancellationToken)));
            }

            await MeasureAsync(bench, sqlite, series, duration, cancellationToken);
        }
        finally
        {
            foreach (var opened in series)
            {
                await opened.Load.DisposeAsync();
            }
        }
    }

    private async Task MeasureAsync(
        Workbench bench, BareSqlite sqlite, List<Series> series, TimeSpan duration, CancellationToken cancellationToken)
    {
        sqlite.Measure(duration);
        foreach (var warmed in series)
        {
            await warmed.Load.SendAsync(duration, cancellationToken);
        }

        var rows = new List<double>();
        for (var round = 0; round < bench.Rounds; round++)
        {
            rows.Add(sqlite.Measure(duration));
            foreach (var measured in series)
            {
                measured.Results.Add(await measured.Load.SendAsync(duration, cancellationToken));
            }
        }

        var bare = new Figure("SQLite, a commit per row", "rows/s", rows);
        bench.Report.Add(Name, bare);
        foreach (var (name, target, results) in series.Select(measured => (measured.Name, measured.Target, measured.Results)))
        {
            var rate = new Figure(name, "requests/s", [.. results.Select(result => result.PerSecond)]);
            bench.Report.Add(Name, rate);
            bench.Report.Add(Name, Figure.Ratio(rate, bare, target));
            bench.Report.Add(Name, new($"{name}: median", "ms", [.. results.Select(result => result.Milliseconds(0.5))]));
            bench.Report.Add(Name, new($"{name}: 99th percentile", "ms", [.. results.Select(result => result.Milliseconds(0.99))]));
        }
    }

    private sealed record Series(string Name, Bound? Target, LoadGenerator Load)
    {
        public List<LoadResult> Results { get; } = [];
    }
}
