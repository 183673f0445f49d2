using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Computes.Machines;

namespace Cerver.Grains.Accounts;

/// <inheritdoc cref="IAccountGrain"/>
[GrainType("account")]
internal sealed class AccountGrain(MachineDirectory machines, ComputeDirectory computes) : Grain, IAccountGrain
{
    /// <inheritdoc/>
    public async Task<ImmutableArray<ComputeInfo>> ListComputesAsync(CancellationToken cancellationToken)
    {
        var own = machines.ListAsync(AccountKey.Parse(this.GetPrimaryKeyString()), cancellationToken);
        var shared = computes.ListAsync(cancellationToken);
        return [.. await own, .. await shared];
    }
}
