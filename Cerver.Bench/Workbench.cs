using Cerver.Bench.Gateways;
using Cerver.Bench.Reports;

namespace Cerver.Bench;

/// <summary>What a case works with.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Repository">Where the gateway's build and the scripts are.</param>
/// <param name="Report">Where the figures go.</param>
internal sealed record Workbench(BenchOptions Options, Repository Repository, Report Report)
{
    /// <summary>A case that takes longer is given up.</summary>
    public static readonly TimeSpan CaseTimeout = TimeSpan.FromMinutes(30);

    /// <summary>How often each figure is measured.</summary>
    public int Rounds => Options.Quick ? 2 : 5;

    /// <summary>How often a figure is measured that takes less than a second each time.</summary>
    public int ShortRounds => Rounds * 3;

    /// <summary>The sizes whose costs are compared, smallest first.</summary>
    public IReadOnlyList<int> Sizes => Options.Quick ? [10, 100, 2_000] : [10, 1_000, 100_000];

    /// <summary>The gateway that was named, or else a new one over an empty data directory.</summary>
    /// <exception cref="BenchException">It does not become ready.</exception>
    public Task<Gateway> GatewayAsync(CancellationToken cancellationToken) =>
        Options.Target is { } target
            ? Task.FromResult(Gateway.At(target.Endpoint, target.Token))
            : Gateway.StartAsync(Repository, cancellationToken);

    /// <summary>A gateway of the bench's own, for a case that must know its process or all of its contents.</summary>
    /// <exception cref="BenchException">Another gateway was named, or it does not become ready.</exception>
    public Task<Gateway> OwnGatewayAsync(string caseName, CancellationToken cancellationToken) =>
        Options.Target is null
            ? Gateway.StartAsync(Repository, cancellationToken)
            : throw new BenchException($"The case {caseName} starts its own gateways: leave out --url.");
}

/// <summary>Something that is measured beside what it is compared with.</summary>
internal interface IBenchCase
{
    /// <summary>The word on the command line.</summary>
    string Name { get; }

    /// <summary>Measures and adds the figures to the report.</summary>
    /// <exception cref="BenchException">The gateway did something other than what was measured.</exception>
    Task MeasureAsync(Workbench bench, CancellationToken cancellationToken);
}

/// <summary>Why there are no figures, in a sentence for the person at the terminal.</summary>
internal sealed class BenchException(string message) : Exception(message);
