using Cerver.Secrets;

namespace Cerver.Api.Secrets.Vaults;

/// <summary>The vaults of an account.</summary>
public sealed record InfisicalVaultListAnswer
{
    /// <summary>In the order in which they are asked: the default first, then the oldest first.</summary>
    public required ImmutableArray<InfisicalVaultAnswer> Vaults { get; init; }
}

/// <summary>One environment of a project of Infisical that an account brought along. What lets the gateway in is never shown.</summary>
public sealed record InfisicalVaultAnswer
{
    /// <summary><c>vault_…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>A name for people; null when it has none.</summary>
    public required string? Label { get; init; }

    /// <summary>The id of the project.</summary>
    public required string ProjectId { get; init; }

    /// <summary>The slug of the environment.</summary>
    public required string Environment { get; init; }

    /// <summary>The folder of the secrets.</summary>
    public required string Path { get; init; }

    /// <summary>The address of the instance.</summary>
    public required string SiteUrl { get; init; }

    /// <summary>The client id of the machine identity; null when there is a service token.</summary>
    public required string? ClientId { get; init; }

    /// <summary>Whether it is asked before the others.</summary>
    public required bool IsDefault { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When it was last verified, whatever came of it; null when it was not since it was made or its access changed.</summary>
    public required DateTime? LastVerifiedAt { get; init; }

    /// <summary>What was wrong then, a sentence; null when nothing was.</summary>
    public required string? LastVerifyError { get; init; }

    internal static InfisicalVaultAnswer Of(InfisicalVaultRecord vault) => new()
    {
        Id = vault.VaultId,
        Label = vault.Label,
        ProjectId = vault.ProjectId,
        Environment = vault.Environment,
        Path = vault.Path,
        SiteUrl = vault.SiteUrl,
        ClientId = vault.ClientId,
        IsDefault = vault.IsDefault,
        CreatedAt = vault.CreatedAt.UtcDateTime,
        LastVerifiedAt = vault.LastVerifiedAt?.UtcDateTime,
        LastVerifyError = vault.LastVerifyError,
    };
}

/// <summary>A vault is gone.</summary>
public sealed record InfisicalVaultDeleted
{
    /// <summary>Always true.</summary>
    public bool Ok { get; } = true;

    /// <summary>Its id.</summary>
    public required string Id { get; init; }
}
