using System.Diagnostics;
using System.Text.Json;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Runs;

/// <summary>
/// How long <c>POST /v2/sessions</c> takes with a sandbox, which is up when the answer comes: on the gateway's own machine, and on one that our relay lends, beside a
/// bubblewrap container that is built for <c>true</c> and gone with it.
/// </summary>
internal sealed class ProvisionCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "provision";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var sessionsPerRound = bench.Options.Quick ? 3 : 20;
        await using var gateway = await bench.OwnGatewayAsync(Name, cancellationToken);
        await using var machine = await LentMachine.StartAsync(bench.Repository, gateway, cancellationToken);
        using var bare = new BareSandbox(bench.Repository);
        using var connection = await HttpConnection.OpenAsync(gateway.Endpoint, cancellationToken);
        Task<double> CreateAsync(string compute) => this.CreateAsync(gateway, connection, compute, cancellationToken);

        List<double> containers = [], locals = [], lents = [];
        for (var round = -1; round < bench.Rounds; round++)
        {
            List<double> container = [], local = [], lent = [];
            for (var repeated = 0; repeated < sessionsPerRound; repeated++)
            {
                container.Add(bare.Run("true").TotalMilliseconds);
                local.Add(await CreateAsync(Gateway.Local));
                lent.Add(await CreateAsync(machine.ComputeId));
            }

            // The first one warms up.
            if (round >= 0)
            {
                containers.Add(new Figure(Name, "ms", container).Median);
                locals.Add(new Figure(Name, "ms", local).Median);
                lents.Add(new Figure(Name, "ms", lent).Median);
            }
        }

        var (alone, here, there) = (new Figure("bwrap … true", "ms", containers), new Figure("session, local", "ms", locals), new Figure("session, relay", "ms", lents));
        bench.Report.Add(Name, alone);
        bench.Report.Add(Name, here);
        bench.Report.Add(Name, there);
        bench.Report.Add(Name, Figure.Ratio(here, alone));
        bench.Report.Add(Name, Figure.Ratio(there, alone));
        bench.Report.Add(Name, Figure.Ratio(there, here));
    }

    /// <summary>Creates a session and ends it again, which is not measured: sandboxes that are up cost the next ones nothing then.</summary>
    private async Task<double> CreateAsync(Gateway gateway, HttpConnection connection, string compute, CancellationToken cancellationToken)
    {
        var request = gateway.Request("POST", "/v2/sessions", Gateway.SandboxBody(compute));
        var sent = Stopwatch.GetTimestamp();
        var answer = await connection.AskAsync(request, cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(sent);
        using var session = JsonDocument.Parse(answer);
        if (session.RootElement.GetProperty("sandbox_id").ValueKind != JsonValueKind.String)
        {
            throw new BenchException($"The case {Name} got a session without a sandbox.");
        }

        await connection.ExchangeAsync(gateway.Request("DELETE", $"/v2/sessions/{session.RootElement.GetProperty("session_id").GetString()}"), cancellationToken);
        return elapsed.TotalMilliseconds;
    }
}
