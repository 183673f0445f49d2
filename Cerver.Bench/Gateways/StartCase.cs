using Cerver.Bench.Reports;

namespace Cerver.Bench.Gateways;

/// <summary>How long it takes from <c>scripts/up</c> on a built tree to the first 200.</summary>
internal sealed class StartCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "start";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        if (bench.Options.Target is not null)
        {
            throw new BenchException($"The case {Name} starts its own gateways: leave out --url.");
        }

        // The first one builds what changed.
        await StartAsync(bench.Repository, cancellationToken);
        var seconds = new List<double>();
        for (var round = 0; round < bench.Rounds; round++)
        {
            seconds.Add((await StartAsync(bench.Repository, cancellationToken)).TotalSeconds);
        }

        bench.Report.Add(Name, new("scripts/up to the first 200", "s", seconds, Bound.AtMost(3)));
    }

    private static async Task<TimeSpan> StartAsync(Repository repository, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        await using var gateway = GatewayProcess.Start(repository.UpScript, [], repository);
        await gateway.WaitUntilReadyAsync(cancellationToken);
        return TimeProvider.System.GetElapsedTime(started);
    }
}
