using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Runs;

/// <summary>Runs <c>true</c> over HTTP in a living sandbox, beside a bubblewrap container built for it alone.</summary>
internal sealed class RunCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "run";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var runsPerRound = bench.Options.Quick ? 10 : 60;
        await using var gateway = await bench.GatewayAsync(cancellationToken);
        using var bare = new BareSandbox(bench.Repository);
        var session = await gateway.CreateSandboxAsync(cancellationToken);
        ReadOnlyMemory<byte>[] request = [gateway.Request("POST", $"/v2/sessions/{session}/run", """{"code":"true"}""")];
        await using var load = await LoadGenerator.OpenAsync(gateway.Endpoint, request, cancellationToken);
        await load.SendAsync(runsPerRound, cancellationToken);

        List<double> programs = [], shells = [], runs = [];
        for (var round = 0; round < bench.Rounds; round++)
        {
            List<double> program = [], shell = [], run = [];
            for (var repeated = 0; repeated < runsPerRound; repeated++)
            {
                program.Add(bare.Run("true").TotalMilliseconds);
                shell.Add(bare.Run("/bin/bash", "-lc", "true").TotalMilliseconds);
                run.Add((await load.SendAsync(requests: 1, cancellationToken)).Milliseconds(0.5));
            }

            programs.Add(new Figure(Name, "ms", program).Median);
            shells.Add(new Figure(Name, "ms", shell).Median);
            runs.Add(new Figure(Name, "ms", run).Median);
        }

        var bareProgram = new Figure("bwrap … true", "ms", programs);
        var bareShell = new Figure("bwrap … bash -lc true", "ms", shells);
        var overHttp = new Figure("POST run of true", "ms", runs);
        bench.Report.Add(Name, bareProgram);
        bench.Report.Add(Name, bareShell);
        bench.Report.Add(Name, overHttp);
        bench.Report.Add(Name, Figure.Ratio(overHttp, bareProgram, Bound.AtMost(2)));
        bench.Report.Add(Name, Figure.Ratio(overHttp, bareShell));
    }
}
