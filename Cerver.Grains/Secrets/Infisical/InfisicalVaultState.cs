using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>What is kept of an account's vaults. Pure.</summary>
[GenerateSerializer, Alias("cerver.vaults.state")]
internal sealed record InfisicalVaultState
{
    /// <summary>How many ids of vaults that were deleted are remembered.</summary>
    private const int MaxDeleted = 100;

    /// <summary>The vaults, the oldest first. Unless there are none, one of them is the default.</summary>
    [Id(0)]
    public ImmutableArray<StoredInfisicalVault> Vaults { get; init; } = [];

    /// <summary>
    /// The ids of those that were deleted last, the latest first: a creation that comes late because its machine hung must not bring one back, and a
    /// deletion that is repeated finds that it was done.
    /// </summary>
    [Id(1)]
    public ImmutableArray<string> Deleted { get; init; } = [];

    /// <summary>The vault of an id, or null.</summary>
    public StoredInfisicalVault? Find(string vaultId) => Vaults.FirstOrDefault(vault => vault.VaultId.Equals(vaultId, StringComparison.Ordinal));

    /// <summary>The vaults in the order in which they are asked: the default first, then the oldest first.</summary>
    public IEnumerable<StoredInfisicalVault> InOrder() => Vaults.OrderByDescending(static vault => vault.IsDefault);

    /// <summary>With one vault more. The first is the default.</summary>
    public InfisicalVaultState With(StoredInfisicalVault added) =>
        Settle(Vaults.Add(added with { IsDefault = added.IsDefault || Vaults.IsEmpty }), added);

    /// <summary>With a vault that has changed.</summary>
    public InfisicalVaultState WithChanged(StoredInfisicalVault changed) =>
        Settle([.. Vaults.Select(vault => vault.VaultId.Equals(changed.VaultId, StringComparison.Ordinal) ? changed : vault)], changed);

    /// <summary>Without a vault. If it was the default, the oldest of the others is now.</summary>
    public InfisicalVaultState Without(StoredInfisicalVault deleted)
    {
        var left = Vaults.Remove(deleted);
        return this with
        {
            Vaults = deleted.IsDefault && left.Length > 0 ? left.SetItem(0, left[0] with { IsDefault = true }) : left,
            Deleted = [deleted.VaultId, .. Deleted.Take(MaxDeleted - 1)],
        };
    }

    /// <summary>There is one default: a vault that becomes it takes it from the one before.</summary>
    private InfisicalVaultState Settle(ImmutableArray<StoredInfisicalVault> vaults, StoredInfisicalVault latest) => this with
    {
        Vaults = latest.IsDefault
            ? [.. vaults.Select(vault => vault with { IsDefault = vault.VaultId.Equals(latest.VaultId, StringComparison.Ordinal) })]
            : vaults,
    };
}

/// <summary>A vault as it is kept.</summary>
[GenerateSerializer, Alias("cerver.vaults.stored")]
internal sealed record StoredInfisicalVault
{
    /// <summary>Its id.</summary>
    [Id(0)]
    public string VaultId { get; init; } = "";

    /// <summary>A name for people, or null.</summary>
    [Id(1)]
    public string? Label { get; init; }

    /// <summary>The project of Infisical.</summary>
    [Id(2)]
    public string ProjectId { get; init; } = "";

    /// <summary>The slug of its environment.</summary>
    [Id(3)]
    public string Environment { get; init; } = "prod";

    /// <summary>The folder of the secrets.</summary>
    [Id(4)]
    public string Path { get; init; } = "/";

    /// <summary>The address of the instance.</summary>
    [Id(5)]
    public string SiteUrl { get; init; } = "";

    /// <summary>The machine identity's client id, or null with a service token.</summary>
    [Id(6)]
    public string? ClientId { get; init; }

    /// <summary>The client secret or the service token, encrypted.</summary>
    [Id(7)]
    public string Credential { get; init; } = "";

    /// <summary>Whether it is asked before the others.</summary>
    [Id(8)]
    public bool IsDefault { get; init; }

    /// <summary>When it was made.</summary>
    [Id(9)]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Counts the changes of where it is and what lets the gateway in.</summary>
    [Id(10)]
    public int Revision { get; init; }

    /// <summary>When this revision was last verified, or null.</summary>
    [Id(11)]
    public DateTimeOffset? LastVerifiedAt { get; init; }

    /// <summary>What was wrong then, or null.</summary>
    [Id(12)]
    public string? LastVerifyError { get; init; }

    /// <summary>As its account sees it.</summary>
    public InfisicalVaultRecord ToRecord() => new(
        VaultId, Label, ProjectId, Environment, Path, SiteUrl, ClientId, IsDefault, CreatedAt, LastVerifiedAt, LastVerifyError);
}
