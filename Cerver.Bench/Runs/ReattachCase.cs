using System.Diagnostics;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Runs;

/// <summary>
/// Replays all output of a run that is over from <c>GET runs/:run/stream</c>, in bytes of output and not of the wire, beside the same
/// number of bytes as a file over HTTP from Kestrel alone.
/// </summary>
internal sealed class ReattachCase : IBenchCase
{
    private const int Mebibyte = 1024 * 1024;

    /// <inheritdoc/>
    public string Name => "reattach";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var bytes = (bench.Options.Quick ? 4 : 64) * Mebibyte;
        await using var gateway = await bench.GatewayAsync(cancellationToken);
        await using var bare = await BareServer.StartAsync(bench.Repository, cancellationToken);
        await bare.MakeFileAsync(bytes, cancellationToken);
        var session = await gateway.CreateSandboxAsync(cancellationToken);
        using var stream = await RunStream.OpenAsync(gateway, cancellationToken);
        await stream.ReadAsync(RunStream.Start(gateway, session, StreamCase.Print(bytes)), cancellationToken);
        var replay = RunStream.Watch(gateway, session, await stream.Begun);
        using var file = await HttpConnection.OpenAsync(bare.Endpoint, cancellationToken);

        List<double> files = [], replays = [], firsts = [];
        for (var round = -1; round < bench.Rounds; round++)
        {
            var read = await ReadFileAsync(file, Gateway.At(bare.Endpoint, "none").Request("GET", BareServer.FilePath), cancellationToken);
            var replayed = await stream.ReadAsync(replay, cancellationToken);
            if (read.Bytes != bytes || replayed.Bytes != bytes)
            {
                throw new BenchException($"Of {bytes} bytes the file gave {read.Bytes} and the replay {replayed.Bytes}.");
            }

            // The first one warms up.
            if (round >= 0)
            {
                files.Add(read.MegabytesPerSecond);
                replays.Add(replayed.MegabytesPerSecond);
                firsts.Add(replayed.First.TotalMilliseconds);
            }
        }

        var whole = new Figure("replay of runs/:run/stream", "MB/s", replays);
        var raw = new Figure("file over bare Kestrel", "MB/s", files);
        bench.Report.Add(Name, raw);
        bench.Report.Add(Name, whole);
        bench.Report.Add(Name, new("replay: first byte", "ms", firsts));
        bench.Report.Add(Name, Figure.Ratio(whole, raw));
    }

    private static async Task<OutputResult> ReadFileAsync(HttpConnection connection, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var status = await connection.SendAsync(request, cancellationToken);
        if (status != 200)
        {
            throw new BenchException($"The file was answered with {status}.");
        }

        var first = TimeSpan.Zero;
        var bytes = 0L;
        while (await connection.ReadBodyAsync(cancellationToken) is { IsEmpty: false } piece)
        {
            first = bytes == 0 ? Stopwatch.GetElapsedTime(started) : first;
            bytes += piece.Length;
        }

        return new(bytes, first, Stopwatch.GetElapsedTime(started));
    }
}
