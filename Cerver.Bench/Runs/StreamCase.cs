using Cerver.Bench.Reports;

namespace Cerver.Bench.Runs;

/// <summary>How fast output comes through and how soon it begins, beside a child process and its pipe.</summary>
internal sealed class StreamCase : IBenchCase
{
    private const int Mebibyte = 1024 * 1024;
    private const string Line = "The tide is out until four; we have three hours to walk there.";

    /// <inheritdoc/>
    public string Name => "stream";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var bytes = (bench.Options.Quick ? 4 : 64) * Mebibyte;
        await using var gateway = await bench.GatewayAsync(cancellationToken);
        var session = await gateway.CreateSandboxAsync(cancellationToken);
        using var stream = await RunStream.OpenAsync(gateway, cancellationToken);
        Task<OutputResult> ReadAsync(string code) => stream.ReadAsync(RunStream.Start(gateway, session, code), cancellationToken);
        await MeasureThroughputAsync(bench, ReadAsync, bytes, cancellationToken);
        await MeasureFirstByteAsync(bench, ReadAsync, cancellationToken);
    }

    private async Task MeasureThroughputAsync(Workbench bench, Func<string, Task<OutputResult>> readAsync, int bytes, CancellationToken cancellationToken)
    {
        var code = Print(bytes);
        await readAsync(Print(Mebibyte));
        await BarePipe.ReadAsync(code, cancellationToken);

        List<double> pipes = [], streams = [];
        for (var round = 0; round < bench.Rounds; round++)
        {
            pipes.Add((await BarePipe.ReadAsync(code, cancellationToken)).MegabytesPerSecond);
            var streamed = await readAsync(code);
            if (streamed.Bytes != bytes)
            {
                throw new BenchException($"{bytes} bytes were printed and {streamed.Bytes} came through.");
            }

            streams.Add(streamed.MegabytesPerSecond);
        }

        var pipe = new Figure("pipe", "MB/s", pipes);
        var overHttp = new Figure("run/stream", "MB/s", streams);
        bench.Report.Add(Name, pipe);
        bench.Report.Add(Name, overHttp);
        bench.Report.Add(Name, Figure.Ratio(overHttp, pipe));
    }

    /// <summary>Code that prints so many bytes.</summary>
    public static string Print(int bytes) =>
        // `yes` complains when `head` has enough.
        $"yes '{Line}' 2>/dev/null | head -c {bytes}";

    private async Task MeasureFirstByteAsync(Workbench bench, Func<string, Task<OutputResult>> readAsync, CancellationToken cancellationToken)
    {
        const string Code = "echo here";
        var runsPerRound = bench.Options.Quick ? 5 : 40;
        List<double> pipes = [], streams = [];
        for (var round = 0; round < bench.Rounds; round++)
        {
            List<double> pipe = [], streamed = [];
            for (var repeated = 0; repeated < runsPerRound; repeated++)
            {
                pipe.Add((await BarePipe.ReadAsync(Code, cancellationToken)).First.TotalMilliseconds);
                streamed.Add((await readAsync(Code)).First.TotalMilliseconds);
            }

            pipes.Add(new Figure(Name, "ms", pipe).Median);
            streams.Add(new Figure(Name, "ms", streamed).Median);
        }

        var bare = new Figure("pipe: first byte", "ms", pipes);
        var overHttp = new Figure("run/stream: first byte", "ms", streams);
        bench.Report.Add(Name, bare);
        bench.Report.Add(Name, overHttp);
        bench.Report.Add(Name, Figure.Ratio(overHttp, bare));
    }
}
