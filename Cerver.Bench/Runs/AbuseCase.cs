using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;
using Cerver.Bench.Sessions;

namespace Cerver.Bench.Runs;

/// <summary>
/// How long appends of 1 KiB take to whoever writes one after the other, while a program in a sandbox of the same gateway wants to take the machine down, beside what they
/// take just before it.
/// </summary>
internal sealed class AbuseCase : IBenchCase
{
    /// <summary>What an abuse left behind is done when the next figure is measured; else that one would be too good a comparison.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public string Name => "abuse";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var window = TimeSpan.FromSeconds(bench.Options.Quick ? 1 : 4);
        await using var gateway = await bench.OwnGatewayAsync(Name, cancellationToken);
        await using var load = await Appenders.OpenAsync(gateway, clients: 1, Entries.Kibibyte, cancellationToken);
        await load.SendAsync(window, cancellationToken);

        var series = Abuse.All.Select(static abuse => new Series(abuse)).ToList();
        for (var round = 0; round < bench.Rounds; round++)
        {
            foreach (var measured in series)
            {
                await Task.Delay(Rest, cancellationToken);
                measured.Quiet.Add(await load.SendAsync(window, cancellationToken));
                using var neighbour = await AbusiveNeighbour.BeginAsync(gateway, measured.Abuse, cancellationToken);
                measured.Abused.Add(await load.SendAsync(window, cancellationToken));
                await neighbour.EndAsync(cancellationToken);
            }
        }

        foreach (var measured in series)
        {
            Add(bench, "median", 0.5, measured, target: null);
            Add(bench, "99th percentile", 0.99, measured, Bound.AtMost(3));
        }
    }

    private void Add(Workbench bench, string what, double share, Series measured, Bound? target)
    {
        Figure Of(string when, List<LoadResult> results) => new($"{what}, {when}", "ms", [.. results.Select(result => result.Milliseconds(share))]);
        var (quiet, abused) = (Of("quiet", measured.Quiet), Of(measured.Abuse.Name, measured.Abused));
        bench.Report.Add(Name, quiet);
        bench.Report.Add(Name, abused);
        bench.Report.Add(Name, Figure.Ratio(abused, quiet, target));
    }

    /// <summary>What was measured of one abuse.</summary>
    private sealed record Series(Abuse Abuse)
    {
        public List<LoadResult> Quiet { get; } = [];

        public List<LoadResult> Abused { get; } = [];
    }
}
