using System.Globalization;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Sessions;

/// <summary>
/// The processor time that a request costs in clusters of one, two and three silos behind one front door, while clients append and read
/// at a rate that leaves the processors room: all silos, the front door and PostgreSQL together, because silos that commit apart cost the
/// database more. What of it is PostgreSQL's is told too.
/// </summary>
internal sealed class ScaleCase : IBenchCase
{
    private const int Clients = 32;
    private const double RequestsPerSecond = 800;
    private const double CostGrowthLimit = 1.15;
    private static readonly int[] Silos = [1, 2, 3];

    /// <inheritdoc/>
    public string Name => "scale";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var duration = TimeSpan.FromSeconds(bench.Options.Quick ? 1 : 10);
        var series = new Stack<Series>();
        try
        {
            foreach (var silos in Silos)
            {
                series.Push(await Series.StartAsync(bench, Name, silos, cancellationToken));
            }

            await MeasureAsync(bench, [.. series.Reverse()], duration, cancellationToken);
        }
        finally
        {
            while (series.TryPop(out var started))
            {
                await started.DisposeAsync();
            }
        }
    }

    private async Task MeasureAsync(Workbench bench, IReadOnlyList<Series> series, TimeSpan duration, CancellationToken cancellationToken)
    {
        foreach (var measured in series)
        {
            await measured.WarmUpAsync(duration, cancellationToken);
        }

        for (var round = 0; round < bench.Rounds; round++)
        {
            foreach (var measured in series)
            {
                await measured.MeasureAsync(duration, cancellationToken);
            }
        }

        Figure? alone = null;
        foreach (var measured in series)
        {
            var cost = measured.Cost;
            bench.Report.Add(Name, cost);
            if (alone is not null)
            {
                bench.Report.Add(Name, Figure.Ratio(cost, alone, Bound.AtMost(CostGrowthLimit)));
            }

            bench.Report.Add(Name, measured.DatabaseCost);
            bench.Report.Add(Name, measured.Rate);
            bench.Report.Add(Name, measured.Idle);
            alone ??= cost;
        }
    }

    private sealed class Series(int silos, ClusterProcesses cluster) : IAsyncDisposable
    {
        private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"{silos} {(silos == 1 ? "silo" : "silos")}");
        private readonly List<double> _microseconds = [];
        private readonly List<double> _databaseMicroseconds = [];
        private readonly List<double> _rates = [];
        private readonly List<double> _idle = [];
        private LoadGenerator? _load;

        public Figure Cost => new($"a request, {_name}", "µs", _microseconds);

        public Figure DatabaseCost => new($"of that PostgreSQL, {_name}", "µs", _databaseMicroseconds);

        public Figure Rate => new($"rate, {_name}", "requests/s", _rates);

        public Figure Idle => new($"no requests, {_name}", "% of a core", _idle);

        public static async Task<Series> StartAsync(Workbench bench, string caseName, int silos, CancellationToken cancellationToken) =>
            new(silos, await PostgresGateways.StartAsync(bench, caseName, new(silos, FrontDoors: 1), cancellationToken));

        /// <summary>
        /// Lets all that is called often be compiled a second time. What is measured are sessions of a cluster that runs: where grains are placed depends on how
        /// busy each silo is, and those that have just been started are busy with themselves.
        /// </summary>
        public async Task WarmUpAsync(TimeSpan duration, CancellationToken cancellationToken)
        {
            await using (var first = await OpenLoadAsync(cancellationToken))
            {
                await first.SendAsync(duration * 2, cancellationToken);
            }

            _load = await OpenLoadAsync(cancellationToken);
            await _load.SendAsync(duration, cancellationToken);
        }

        public async Task MeasureAsync(TimeSpan duration, CancellationToken cancellationToken)
        {
            var (idleFrom, before) = (TimeProvider.System.GetTimestamp(), ProcessorTime);
            await Task.Delay(duration, cancellationToken);
            var (idleTime, idle) = (TimeProvider.System.GetElapsedTime(idleFrom), ProcessorTime - before);

            var databaseBefore = cluster.Postgres.ProcessorTime;
            before = ProcessorTime;
            var result = await _load!.SendAsync(RequestsPerSecond, duration, cancellationToken);
            var (own, database) = (ProcessorTime - before, cluster.Postgres.ProcessorTime - databaseBefore);
            _microseconds.Add((own + database).TotalMicroseconds / result.Times.Count);
            _databaseMicroseconds.Add(database.TotalMicroseconds / result.Times.Count);
            _rates.Add(result.PerSecond);
            _idle.Add(100 * idle / idleTime);
        }

        public async ValueTask DisposeAsync()
        {
            if (_load is not null)
            {
                await _load.DisposeAsync();
            }

            await cluster.DisposeAsync();
        }

        private async Task<LoadGenerator> OpenLoadAsync(CancellationToken cancellationToken)
        {
            var gateway = Gateway.At(cluster.FrontDoors[0].Endpoint, cluster.Token);
            var sessions = await gateway.CreateTranscriptsAsync(Clients, cancellationToken);
            var requests = sessions.Select((session, number) => (number % 8) switch
            {
                < 4 => Appenders.RequestTo(gateway, session),
                < 7 => gateway.Request("GET", $"/v2/sessions/{sessions[number - 4]}?tail=10"),
                _ => gateway.Request("GET", "/v2/sessions?limit=20"),
            });
            return await LoadGenerator.OpenAsync(gateway.Endpoint, requests, cancellationToken);
        }

        /// <summary>Of the silos and the front door.</summary>
        private TimeSpan ProcessorTime => cluster.Members.Aggregate(TimeSpan.Zero, static (sum, member) => sum + member.ProcessorTime);
    }
}
