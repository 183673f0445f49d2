using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Grains.Computes;

namespace Cerver.Grains.Accounts;

/// <inheritdoc cref="IAccountGrain"/>
[GrainType("account")]
internal sealed class AccountGrain(IEnumerable<IComputeProvider> providers) : Grain, IAccountGrain
{
    /// <inheritdoc/>
    public Task<ImmutableArray<ComputeInfo>> ListComputesAsync(CancellationToken cancellationToken) =>
        Task.FromResult(providers.Select(provider => provider.Describe()).ToImmutableArray());
}
