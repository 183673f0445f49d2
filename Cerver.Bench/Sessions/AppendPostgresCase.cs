using System.Globalization;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Sessions;

/// <summary>
/// Clients that append small entries over HTTP, each to a session of its own, to a gateway that is one process over PostgreSQL and to a
/// front door before it, beside as many clients of the same server that insert single rows.
/// </summary>
/// <remarks>What is asked for is "over HTTP" and names none of the two forms, so both are held to the target.</remarks>
internal sealed class AppendPostgresCase : IBenchCase
{
    private static readonly (int Clients, Bound Target)[] Loads = [(32, Bound.AtLeast(0.8)), (256, Bound.AtLeast(1.2))];

    /// <inheritdoc/>
    public string Name => "append-postgres";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var seconds = bench.Options.Quick ? 1 : 5;
        await using var cluster = await PostgresGateways.StartAsync(bench, Name, new(Silos: 1, FrontDoors: 1, SilosServe: true), cancellationToken);
        using var bare = await BarePostgres.CreateAsync(bench.Repository, cluster, cancellationToken);
        var series = new List<Series>();
        try
        {
            foreach (var (clients, target) in Loads)
            {
                series.Add(new(
                    clients,
                    target,
                    await Appenders.OpenAsync(Gateway.At(cluster.Silos[0].Endpoint, cluster.Token), clients, cancellationToken),
                    await Appenders.OpenAsync(Gateway.At(cluster.FrontDoors[0].Endpoint, cluster.Token), clients, cancellationToken)));
            }

            await MeasureAsync(bench, bare, series, seconds, cancellationToken);
        }
        finally
        {
            foreach (var opened in series)
            {
                await opened.DisposeAsync();
            }
        }
    }

    private async Task MeasureAsync(Workbench bench, BarePostgres bare, List<Series> series, int seconds, CancellationToken cancellationToken)
    {
        foreach (var warmed in series)
        {
            await warmed.MeasureAsync(bare, seconds, cancellationToken);
        }

        series.ForEach(warmed => warmed.Forget());
        for (var round = 0; round < bench.Rounds; round++)
        {
            foreach (var measured in series)
            {
                await measured.MeasureAsync(bare, seconds, cancellationToken);
            }
        }

        foreach (var measured in series)
        {
            foreach (var figure in measured.Figures())
            {
                bench.Report.Add(Name, figure);
            }
        }
    }

    private sealed record Series(int Clients, Bound Target, LoadGenerator Alone, LoadGenerator ThroughFrontDoor) : IAsyncDisposable
    {
        private readonly List<double> _rows = [];
        private readonly List<LoadResult> _alone = [];
        private readonly List<LoadResult> _throughFrontDoor = [];

        public async Task MeasureAsync(BarePostgres bare, int seconds, CancellationToken cancellationToken)
        {
            _rows.Add(await bare.MeasureAsync(Clients, seconds));
            _alone.Add(await Alone.SendAsync(TimeSpan.FromSeconds(seconds), cancellationToken));
            _throughFrontDoor.Add(await ThroughFrontDoor.SendAsync(TimeSpan.FromSeconds(seconds), cancellationToken));
        }

        public void Forget()
        {
            _rows.Clear();
            _alone.Clear();
            _throughFrontDoor.Clear();
        }

        public IEnumerable<Figure> Figures()
        {
            var rows = new Figure(string.Create(CultureInfo.InvariantCulture, $"pgbench, {Clients} clients"), "rows/s", _rows);
            return [rows, .. Figures("append to one process", _alone, rows), .. Figures("append by a front door", _throughFrontDoor, rows)];
        }

        public async ValueTask DisposeAsync()
        {
            await Alone.DisposeAsync();
            await ThroughFrontDoor.DisposeAsync();
        }

        private IEnumerable<Figure> Figures(string what, List<LoadResult> results, Figure rows)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{what}, {Clients} clients");
            var rate = new Figure(name, "requests/s", [.. results.Select(result => result.PerSecond)]);
            return
            [
                rate,
                Figure.Ratio(rate, rows, Target),
                new($"{name}: median", "ms", [.. results.Select(result => result.Milliseconds(0.5))]),
                new($"{name}: 99th percentile", "ms", [.. results.Select(result => result.Milliseconds(0.99))]),
            ];
        }
    }
}
