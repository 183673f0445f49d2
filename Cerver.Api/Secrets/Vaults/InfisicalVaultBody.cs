using Cerver.Secrets;

namespace Cerver.Api.Secrets.Vaults;

/// <summary>What a vault is to be. A field that is left out stays as it is, or is what it is by default.</summary>
/// <remarks>No record: a record shows its members to whoever writes it into a text.</remarks>
public sealed class InfisicalVaultBody
{
    /// <summary>A name for people, at most 200 characters; empty for none.</summary>
    public string? Label { get; set; }

    /// <summary>The id of the project of Infisical. A new vault needs it.</summary>
    public string? ProjectId { get; set; }

    /// <summary>The slug of the environment; <c>prod</c> for a new vault.</summary>
    public string? Environment { get; set; }

    /// <summary>The folder of the secrets; <c>/</c> for a new vault.</summary>
    public string? Path { get; set; }

    /// <summary>
    /// The address of the instance, one of those that the operator allows; the first of them for a new vault. Another one needs the credential again.
    /// </summary>
    public string? SiteUrl { get; set; }

    /// <summary>The client id of the machine identity that logs in with universal auth. Another one needs its client secret.</summary>
    public string? ClientId { get; set; }

    /// <summary>Its client secret. It is kept encrypted and never answered.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>A service token, in the place of both. It is kept encrypted and never answered.</summary>
    public string? ServiceToken { get; set; }

    /// <summary>Whether it is asked before the others. It takes that from the one before.</summary>
    public bool? IsDefault { get; set; }

    internal InfisicalVaultFields ToFields() => new(
        Label,
        ProjectId,
        Environment,
        Path,
        SiteUrl,
        ClientId,
        ClientSecret is null ? null : new Secret(ClientSecret),
        ServiceToken is null ? null : new Secret(ServiceToken),
        IsDefault);
}
