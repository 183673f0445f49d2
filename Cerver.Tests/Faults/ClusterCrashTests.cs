using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;
using Xunit.Abstractions;

namespace Cerver.Tests.Faults;

/// <summary>
/// A cluster as processes to which each kind of harm is done once. A longer campaign is <c>Cerver.Bench crash --cluster --cycles 70</c>.
/// </summary>
public sealed class ClusterCrashTests(ITestOutputHelper output)
{
    /// <summary>
    /// Builds share their machine. How long it took is printed; a campaign on a machine with nothing else to do holds it to the limits.
    /// </summary>
    private const int Patience = 4;

    private static readonly ImmutableArray<FaultKind> FirstHalf = [FaultKind.SiloKill, FaultKind.SiloHang, FaultKind.FrontDoorKill];

    /// <summary>Two tests, because one that takes too long counts as hung.</summary>
    /// <param name="half">Which half of the kinds of harm.</param>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_cluster_to_which_every_kind_of_harm_is_done_keeps_every_promise(int half)
    {
        var kinds = half == 1 ? FirstHalf : [.. ClusterFaults.Kinds.Except(FirstHalf)];
        var options = new CrashOptions(kinds.Length, Random.Shared.Next(), HistoryPath: null, new ClusterSize(Silos: 3, FrontDoors: 2))
        {
            Kinds = kinds,
            Patience = Patience,
        };
        var gatewayPath = Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll");

        var result = await CrashCampaign.RunAsync(options, gatewayPath, Repository.Find(), output.WriteLine, CancellationToken.None);

        Assert.True(result.Violations.IsEmpty, $"The seed is {options.Seed}.\n{string.Join('\n', result.Violations)}");
    }
}
