using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>What a campaign found.</summary>
/// <param name="History">What clients did and saw in the last round.</param>
/// <param name="Violations">The promises that were broken in it, as sentences; none when all is well.</param>
internal sealed record CrashResult(History History, ImmutableArray<string> Violations);

/// <summary>
/// Kills a gateway again and again while clients use it, and checks what they were promised. It goes in rounds, so that a campaign of any
/// length has one history of bounded length at a time; the gateway and its data stay the same.
/// </summary>
internal static class CrashCampaign
{
    /// <summary>How many kills a round has.</summary>
    public const int CyclesPerRound = 25;

    /// <summary>Goes on until the number of kills is reached or a promise is broken.</summary>
    /// <param name="options">How many kills and which randomness.</param>
    /// <param name="gatewayPath">The main assembly of the gateway's build.</param>
    /// <param name="repository">Where its data goes meanwhile.</param>
    /// <param name="say">Is told how it goes, a line at a time.</param>
    /// <param name="cancellationToken">Ends it; everything is stopped on the way out.</param>
    /// <exception cref="BenchException">The gateway does not start again, or a round does not come to its end.</exception>
    public static async Task<CrashResult> RunAsync(
        CrashOptions options, string gatewayPath, Repository repository, Action<string> say, CancellationToken cancellationToken)
    {
        say($"Killing a gateway {options.Cycles} times; the seed is {options.Seed}.");
        var random = new Random(options.Seed);
        CrashResult result;
        await using (var gateway = await UnreliableGateway.StartAsync(gatewayPath, repository, cancellationToken))
        {
            var done = 0;
            do
            {
                var cycles = Math.Min(CyclesPerRound, options.Cycles - done);
                var round = new CrashRound(gateway, $"round-{done / CyclesPerRound}", random, say);
                result = await round.RunAsync(cycles, cancellationToken);
                done += cycles;
                say($"{done} kills: {Summary(result.History)}, {result.Violations.Length} violations.");
            }
            while (done < options.Cycles && result.Violations.IsEmpty);
        }

        return result;
    }

    private static string Summary(History history)
    {
        var acknowledged = history.Appends.Count(append => append.Outcome == Outcome.Acknowledged);
        var unknown = history.Appends.Count(append => append.Outcome == Outcome.Unknown);
        var runs = history.Runs.Count(run => run.Outcome == Outcome.Acknowledged);
        var lost = history.Finals.Take(1).Sum(final => final.Runs?.Count(run => run.Status == "lost") ?? 0);
        return $"{acknowledged} appends acknowledged and {unknown} unknown, {runs} runs started and {lost} lost, "
            + $"{history.Pages.Length} pages, {history.Watchers.Sum(watched => watched.Events.Length)} events for {history.Watchers.Length} watchers";
    }
}
