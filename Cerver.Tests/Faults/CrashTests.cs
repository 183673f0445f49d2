using Cerver.Bench.Gateways;
using Xunit.Abstractions;

namespace Cerver.Tests.Faults;

/// <summary>The gateway as a process that is killed. A longer campaign is <c>Cerver.Bench crash --cycles 1000</c>.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    /// <summary>Two tests, because one that takes too long counts as hung.</summary>
    /// <param name="campaign">Counts them. Each has a seed of its own.</param>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_gateway_that_is_killed_again_and_again_keeps_every_promise(int campaign)
    {
        var options = new CrashOptions(Cycles: 25, Random.Shared.Next(), HistoryPath: null);
        output.WriteLine($"Campaign {campaign}");
        var gatewayPath = Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll");

        var result = await CrashCampaign.RunAsync(options, gatewayPath, Repository.Find(), output.WriteLine, CancellationToken.None);

        Assert.True(result.Violations.IsEmpty, $"The seed is {options.Seed}.\n{string.Join('\n', result.Violations)}");
    }
}
