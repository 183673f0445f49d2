using System.Net.Sockets;
using Cerver.Bench;
using Cerver.Bench.Faults;
using Cerver.Bench.Gateways;
using Cerver.Bench.Reports;
using Cerver.Bench.Runs;
using Cerver.Bench.Search;
using Cerver.Bench.Secrets;
using Cerver.Bench.Sessions;

IBenchCase[] cases =
[
    new AppendCase(), new TailCase(), new ListCase(), new RunCase(), new StreamCase(), new ReattachCase(), new FanoutCase(), new ChunkCase(), new IdleCase(),
    new StartCase(), new AppendPostgresCase(), new TailPostgresCase(), new ListPostgresCase(), new ScaleCase(), new SearchCase(), new SearchPostgresCase(), new RedactCase(),
    new ProvisionCase(), new RunRelayCase(), new AbuseCase(),
];

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    // The gateways that were started are stopped on the way out.
    key.Cancel = true;
    interrupted.Cancel();
};

try
{
    switch (args)
    {
        case [CrashOptions.Command, .. var rest]: return await CrashCommand.CrashAsync(rest, interrupted.Token);
        case [CrashCommand.Check, .. var rest]: return await CrashCommand.CheckAsync(rest, interrupted.Token);
    }
}
catch (BenchException failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 1;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("Interrupted.");
    return 1;
}

if (!BenchOptions.TryParse(args, [.. cases.Select(known => known.Name)], out var options, out var complaint))
{
    await Console.Error.WriteLineAsync(complaint);
    return 2;
}

var report = new Report(options.Quick);
try
{
    var bench = new Workbench(options, Repository.Find(), report);
    foreach (var chosen in cases.Where(known => options.Cases.Contains(known.Name, StringComparer.Ordinal)))
    {
        await Console.Error.WriteLineAsync($"Measuring {chosen.Name} …");
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(interrupted.Token);
        limited.CancelAfter(Workbench.CaseTimeout);
        await chosen.MeasureAsync(bench, limited.Token);
        await Console.Out.WriteLineAsync(ReportTable.Of(chosen.Name, report));
    }
}
catch (BenchException failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 1;
}
catch (SocketException failure)
{
    await Console.Error.WriteLineAsync($"The connection to the gateway broke: {failure.Message}.");
    return 1;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync(interrupted.IsCancellationRequested
        ? "Interrupted."
        : $"A case took longer than {Workbench.CaseTimeout.TotalMinutes:0} minutes; it was given up.");
    return 1;
}

if (options.JsonPath is { } path)
{
    await report.WriteJsonAsync(path);
}

return 0;
