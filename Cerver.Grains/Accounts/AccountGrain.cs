using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Grains.Computes.Hosts;

namespace Cerver.Grains.Accounts;

/// <inheritdoc cref="IAccountGrain"/>
[GrainType("account")]
internal sealed class AccountGrain(ComputeDirectory computes) : Grain, IAccountGrain
{
    /// <inheritdoc/>
    public Task<ImmutableArray<ComputeInfo>> ListComputesAsync(CancellationToken cancellationToken) => computes.ListAsync(cancellationToken);
}
