using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>What a campaign found.</summary>
/// <param name="History">What clients did and saw in the last round.</param>
/// <param name="Violations">The promises that were broken in it, as sentences; none when all is well.</param>
internal sealed record CrashResult(History History, ImmutableArray<string> Violations);

/// <summary>
/// Does harm to a gateway again and again while clients use it, and checks what they were promised. It goes in rounds, so that a campaign of any length has one
/// history of bounded length at a time; the gateway and its data stay the same.
/// </summary>
internal static class CrashCampaign
{
    /// <summary>Goes on until the number of faults is reached or a promise is broken.</summary>
    /// <param name="options">How many faults and which randomness.</param>
    /// <param name="gatewayPath">The main assembly of the gateway's build.</param>
    /// <param name="repository">Where its data goes meanwhile.</param>
    /// <param name="say">Is told how it goes, a line at a time.</param>
    /// <param name="cancellationToken">Ends it; everything is stopped on the way out.</param>
    /// <exception cref="BenchException">The gateway does not start again, or a round does not come to its end.</exception>
    public static async Task<CrashResult> RunAsync(
        CrashOptions options, string gatewayPath, Repository repository, Action<string> say, CancellationToken cancellationToken)
    {
        say($"{options.Cycles} faults for {(options.Cluster is { } size ? $"a cluster of {size.Silos} silos and {size.FrontDoors} front doors" : "a gateway")}; the seed is {options.Seed}.");
        var random = new Random(options.Seed);
        var outages = new List<Outage>();
        CrashResult result;
        await using (var target = await StartAsync(options, gatewayPath, repository, say, cancellationToken))
        {
            var done = 0;
            do
            {
                var cycles = Math.Min(target.CyclesPerRound, options.Cycles - done);
                var round = new CrashRound(target, $"round-{done / target.CyclesPerRound}", random, options.Patience, say);
                result = await round.RunAsync(cycles, cancellationToken);
                done += cycles;
                outages.AddRange(Outages.Of(result.History, fault => fault.Struck));
                say($"{done} faults: {Summary(result.History)}, {result.Violations.Length} violations.");
            }
            while (done < options.Cycles && result.Violations.IsEmpty);
        }

        if (options.Cluster is not null)
        {
            say(Outages.Describe(outages));
        }

        return result;
    }

    private static async Task<ICrashTarget> StartAsync(
        CrashOptions options, string gatewayPath, Repository repository, Action<string> say, CancellationToken cancellationToken) =>
        options.Cluster is { } size
            ? await UnreliableCluster.StartAsync(size, options, gatewayPath, repository, say, cancellationToken)
            : await UnreliableGateway.StartAsync(gatewayPath, repository, cancellationToken);

    private static string Summary(History history)
    {
        var acknowledged = history.Appends.Count(append => append.Outcome == Outcome.Acknowledged);
        var unknown = history.Appends.Count(append => append.Outcome == Outcome.Unknown);
        var runs = history.Runs.Count(run => run.Outcome == Outcome.Acknowledged);
        var lost = history.Finals.Take(1).Sum(final => final.Runs?.Count(run => run.Status == "lost") ?? 0);
        return $"{acknowledged} appends acknowledged and {unknown} unknown, {runs} runs started and {lost} lost ({LostRunRules.CountClosedByOthers(history)} closed by other silos), "
            + $"{history.Pages.Length} pages, {history.Watchers.Sum(watched => watched.Events.Length)} events for {history.Watchers.Length} watchers, {history.Failures.Length} failures";
    }
}
