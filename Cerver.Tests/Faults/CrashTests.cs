using Cerver.Bench.Gateways;
using Xunit.Abstractions;

namespace Cerver.Tests.Faults;

/// <summary>The gateway as a process that is killed. A longer campaign is <c>Cerver.Bench crash --cycles 1000</c>.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_gateway_that_is_killed_fifty_times_keeps_every_promise()
    {
        var options = new CrashOptions(Cycles: 50, Random.Shared.Next(), HistoryPath: null);
        var gatewayPath = Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll");

        var result = await CrashCampaign.RunAsync(options, gatewayPath, Repository.Find(), output.WriteLine, CancellationToken.None);

        Assert.True(result.Violations.IsEmpty, $"The seed is {options.Seed}.\n{string.Join('\n', result.Violations)}");
    }
}
