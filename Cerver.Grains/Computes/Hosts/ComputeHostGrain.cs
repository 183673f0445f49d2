using Cerver.Computes;

namespace Cerver.Grains.Computes.Hosts;

/// <inheritdoc cref="IComputeHostGrain"/>
[GrainType("compute-host"), HostPlacement]
internal sealed class ComputeHostGrain(HostProviders providers, SandboxSweep sweep) : Grain, IComputeHostGrain
{
    private string Host => ComputeHostKey.Parse(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public Task<ImmutableArray<ComputeInfo>> DescribeAsync(CancellationToken cancellationToken)
    {
        LeaveUnlessAtHome();
        return Task.FromResult<ImmutableArray<ComputeInfo>>([.. providers.Of(Host).Select(provider => provider.Describe())]);
    }

    /// <inheritdoc/>
    public Task SweepAsync(CancellationToken cancellationToken)
    {
        LeaveUnlessAtHome();
        return sweep.RunAsync(providers.Of(Host), cancellationToken);
    }

    /// <summary>The host may be back with the next call.</summary>
    private void LeaveUnlessAtHome()
    {
        if (!providers.IsAtHome(Host))
        {
            DeactivateOnIdle();
        }
    }
}
