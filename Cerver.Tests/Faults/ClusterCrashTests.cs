using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;
using Xunit.Abstractions;

namespace Cerver.Tests.Faults;

/// <summary>
/// A cluster as processes to which harm is done, with nothing else running. A longer campaign, with a stop of one silo and a crash of the
/// database too, is <c>Cerver.Bench crash --cluster --cycles 70</c>.
/// </summary>
[Collection(nameof(ClusterCrashTests))]
public sealed class ClusterCrashTests(ITestOutputHelper output)
{
    /// <summary>
    /// Builds share their machine. How long it took is printed; a campaign on a machine with nothing else to do holds it to the limits.
    /// </summary>
    private const int Patience = 4;

    private static readonly ImmutableArray<FaultKind> Kinds =
        [FaultKind.SiloKill, FaultKind.FrontDoorKill, FaultKind.SiloHang, FaultKind.DatabaseRestart, FaultKind.RollingRestart];

    [Fact]
    public async Task A_cluster_to_which_harm_is_done_keeps_every_promise()
    {
        var options = new CrashOptions(Kinds.Length, Random.Shared.Next(), HistoryPath: null, new ClusterSize(Silos: 3, FrontDoors: 2))
        {
            Kinds = Kinds,
            Patience = Patience,
        };
        var gatewayPath = Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll");

        var result = await CrashCampaign.RunAsync(options, gatewayPath, Repository.Find(), output.WriteLine, CancellationToken.None);

        Assert.True(result.Violations.IsEmpty, $"The seed is {options.Seed}.\n{string.Join('\n', result.Violations)}");
    }
}

/// <summary>Runs when all tests that run beside each other are over.</summary>
[CollectionDefinition(nameof(ClusterCrashTests), DisableParallelization = true)]
public sealed class ClusterCrashCollection;
