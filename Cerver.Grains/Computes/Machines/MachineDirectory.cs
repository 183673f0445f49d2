using Cerver.Computes;

namespace Cerver.Grains.Computes.Machines;

/// <summary>The machines of accounts.</summary>
internal sealed class MachineDirectory(IGrainFactory grains)
{
    /// <summary>An account's machines as they are now, in the order in which they were registered, without what they say of themselves beside what they can do.</summary>
    public async Task<ImmutableArray<ComputeInfo>> ListAsync(string accountId, CancellationToken cancellationToken)
    {
        var ids = await grains.GetGrain<IAccountMachinesGrain>(AccountMachinesKey.For(accountId)).ListAsync(cancellationToken);
        var machines = await Task.WhenAll(ids.Select(id => grains.GetGrain<IMachineGrain>(MachineKey.For(accountId, id)).DescribeAsync(cancellationToken)));

        // One that is in the list and not registered is about to be, or was about to be deleted when the silo died.
        return [.. machines.OfType<ComputeInfo>().Select(static machine => machine with { Machine = machine.Machine! with { Metadata = null } })];
    }
}
