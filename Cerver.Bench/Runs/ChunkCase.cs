using System.Globalization;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Runs;

/// <summary>
/// How long a line takes from the moment a program in a sandbox prints it to the client of <c>run/stream</c>, who gets it when it is on
/// disk, beside a child process and its pipe. The program prints its clock about 40 times a second.
/// </summary>
internal sealed class ChunkCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "chunk";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var lines = bench.Options.Quick ? 20 : 200;
        var code = string.Create(
            CultureInfo.InvariantCulture, $"for ((line = 0; line < {lines}; line++)); do {PrintedClock.PrintLine}; sleep 0.023; done");
        await using var gateway = await bench.GatewayAsync(cancellationToken);
        var session = await gateway.CreateSandboxAsync(cancellationToken);
        List<double> pipes = [], halves = [], slowest = [];
        for (var round = -1; round < bench.Rounds; round++)
        {
            var pipe = NewClock();
            await BarePipe.ReadAsync(code, cancellationToken, pipe.Take);
            var clock = NewClock();
            using var stream = await RunStream.OpenAsync(gateway, cancellationToken, clock.Take);
            await stream.ReadAsync(RunStream.Start(gateway, session, code), cancellationToken);

            // The first one warms up.
            if (round >= 0)
            {
                pipes.Add(PrintedClock.Percentile([pipe], 0.5));
                halves.Add(PrintedClock.Percentile([clock], 0.5));
                slowest.Add(PrintedClock.Percentile([clock], 0.99));
            }
        }

        var bare = new Figure("pipe: median", "ms", pipes);
        var half = new Figure("run/stream: median", "ms", halves, Bound.AtMost(10));
        bench.Report.Add(Name, bare);
        bench.Report.Add(Name, half);
        bench.Report.Add(Name, new("run/stream: 99th percentile", "ms", slowest, Bound.AtMost(50)));
        bench.Report.Add(Name, Figure.Ratio(half, bare));
    }

    private static PrintedClock NewClock()
    {
        var clock = new PrintedClock();
        clock.Begin();
        return clock;
    }
}
