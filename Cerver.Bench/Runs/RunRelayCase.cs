using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Runs;

/// <summary>Runs <c>true</c> over HTTP on a machine that our relay lends, beside the same on the gateway's own machine: what the way there and back costs.</summary>
internal sealed class RunRelayCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "run-relay";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var runsPerRound = bench.Options.Quick ? 10 : 60;
        await using var gateway = await bench.OwnGatewayAsync(Name, cancellationToken);
        await using var machine = await LentMachine.StartAsync(bench.Repository, gateway, cancellationToken);
        await using var local = await OpenAsync(gateway, Gateway.Local, cancellationToken);
        await using var lent = await OpenAsync(gateway, machine.ComputeId, cancellationToken);
        await local.SendAsync(runsPerRound, cancellationToken);
        await lent.SendAsync(runsPerRound, cancellationToken);

        List<double> locals = [], lents = [], differences = [];
        for (var round = 0; round < bench.Rounds; round++)
        {
            List<double> here = [], there = [];
            for (var repeated = 0; repeated < runsPerRound; repeated++)
            {
                // Now the one first and now the other: what a run leaves behind is done while the next one is measured.
                foreach (var (load, times) in ((LoadGenerator, List<double>)[])(repeated % 2 == 0 ? [(local, here), (lent, there)] : [(lent, there), (local, here)]))
                {
                    times.Add((await load.SendAsync(requests: 1, cancellationToken)).Milliseconds(0.5));
                }
            }

            locals.Add(new Figure(Name, "ms", here).Median);
            lents.Add(new Figure(Name, "ms", there).Median);
            differences.Add(new Figure(Name, "ms", [.. there.Zip(here, static (lentTime, localTime) => lentTime - localTime)]).Median);
        }

        var (onGateway, onMachine) = (new Figure("POST run of true, local", "ms", locals), new Figure("POST run of true, relay", "ms", lents));
        bench.Report.Add(Name, onGateway);
        bench.Report.Add(Name, onMachine);
        bench.Report.Add(Name, Figure.Ratio(onMachine, onGateway));
        bench.Report.Add(Name, new("relay − local, a run after the other", "ms", differences, Bound.AtMost(5)));
    }

    private static async Task<LoadGenerator> OpenAsync(Gateway gateway, string compute, CancellationToken cancellationToken)
    {
        var session = await gateway.CreateSessionAsync(Gateway.SandboxBody(compute), cancellationToken);
        ReadOnlyMemory<byte>[] request = [gateway.Request("POST", $"/v2/sessions/{session}/run", """{"code":"true"}""")];
        return await LoadGenerator.OpenAsync(gateway.Endpoint, request, cancellationToken);
    }
}
