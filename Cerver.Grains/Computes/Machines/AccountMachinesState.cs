namespace Cerver.Grains.Computes.Machines;

/// <summary>Which machines an account has. Pure.</summary>
[GenerateSerializer, Alias("cerver.account-machines.state")]
internal sealed record AccountMachinesState
{
    /// <summary>How many ids of machines that were deleted are remembered.</summary>
    private const int MaxDeleted = 100;

    /// <summary>The ids, in the order in which they came.</summary>
    [Id(0)]
    public ImmutableArray<string> Machines { get; init; } = [];

    /// <summary>The ids of those that were deleted last, the latest first: a deletion that is repeated finds that it was done.</summary>
    [Id(1)]
    public ImmutableArray<string> Deleted { get; init; } = [];

    /// <summary>With one machine more.</summary>
    public AccountMachinesState With(string computeId) => this with { Machines = Machines.Add(computeId), Deleted = Deleted.Remove(computeId) };

    /// <summary>Without a machine.</summary>
    public AccountMachinesState Without(string computeId) => this with
    {
        Machines = Machines.Remove(computeId),
        Deleted = [computeId, .. Deleted.Where(deleted => deleted != computeId).Take(MaxDeleted - 1)],
    };
}
