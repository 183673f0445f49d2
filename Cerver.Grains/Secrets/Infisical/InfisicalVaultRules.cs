using System.Buffers;
using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>What a vault may be. Pure.</summary>
internal static class InfisicalVaultRules
{
    /// <summary>How many vaults an account has at most.</summary>
    public const int MaxVaults = 20;

    private const int MaxLabelCharacters = 200;
    private const int MaxWordCharacters = 128;
    private const int MaxPathCharacters = 512;
    private const int MaxCredentialCharacters = 4096;

    private const string WordRule = "letters, digits, '-' and '_'";
    private const string PathRule = "letters, digits, '-', '_', '.' and '/'";

    private static readonly SearchValues<char> WordCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    private static readonly SearchValues<char> PathCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./");

    /// <summary>Refuses one vault more than an account may have.</summary>
    public static void CheckRoom(InfisicalVaultState state)
    {
        if (state.Vaults.Length >= MaxVaults)
        {
            throw new CerverException(CerverError.Conflict, $"An account has at most {MaxVaults} vaults. Delete one first.");
        }
    }

    /// <summary>A vault with what was asked for. Its credential is still the one that it had.</summary>
    /// <param name="vault">The vault; a new one has no site yet.</param>
    /// <param name="fields">What it is to be.</param>
    /// <param name="sites">The sites that are allowed, not empty.</param>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the field at fault.</exception>
    public static StoredInfisicalVault Apply(StoredInfisicalVault vault, InfisicalVaultFields fields, ImmutableArray<string> sites)
    {
        var isNew = vault.SiteUrl.Length == 0;
        if (isNew && fields.ProjectId is null)
        {
            throw Refuse("project_id", "is needed: the id of the project, which its settings in Infisical show.");
        }

        CheckFields(fields);
        if (vault.IsDefault && fields.IsDefault == false)
        {
            throw Refuse("is_default", "is not taken from the default vault. Give it to another one.");
        }

        var changed = vault with
        {
            Label = fields.Label is null ? vault.Label : fields.Label.Length == 0 ? null : fields.Label,
            ProjectId = fields.ProjectId ?? vault.ProjectId,
            Environment = fields.Environment ?? vault.Environment,
            Path = fields.Path ?? vault.Path,
            SiteUrl = fields.SiteUrl is { } site ? FindSite(site, sites) : isNew ? sites[0] : vault.SiteUrl,
            ClientId = fields.ServiceToken is null ? fields.ClientId ?? vault.ClientId : null,
            IsDefault = fields.IsDefault ?? vault.IsDefault,
        };
        CheckAccess(vault, changed, fields, isNew);
        var isSame = CredentialIn(fields) is null
            && (changed with { Label = vault.Label, IsDefault = vault.IsDefault }).Equals(vault);
        return isSame ? changed : changed with { Revision = vault.Revision + 1, LastVerifiedAt = null, LastVerifyError = null };
    }

    /// <summary>The credential that was sent, or null.</summary>
    public static Secret? CredentialIn(InfisicalVaultFields fields) => fields.ServiceToken ?? fields.ClientSecret;

    /// <summary>What is wrong with a site that the operator allowed once and allows no more, or null.</summary>
    public static string? FaultOfSite(StoredInfisicalVault vault, ImmutableArray<string> sites) => sites.Contains(vault.SiteUrl)
        ? null
        : $"The vault '{vault.VaultId}' of Infisical is at {vault.SiteUrl}, which this gateway does not call. {AllowedText(sites)}";

    private static void CheckFields(InfisicalVaultFields fields)
    {
        if (fields.Label?.Length > MaxLabelCharacters)
        {
            throw Refuse("label", $"must have at most {MaxLabelCharacters} characters.");
        }

        CheckText("project_id", fields.ProjectId, WordCharacters, MaxWordCharacters, WordRule);
        CheckText("environment", fields.Environment, WordCharacters, MaxWordCharacters, WordRule);
        CheckText("client_id", fields.ClientId, WordCharacters, MaxWordCharacters, WordRule);
        CheckText("path", fields.Path, PathCharacters, MaxPathCharacters, PathRule);
        if (fields.Path is { } path && (path[0] != '/' || path.Split('/').Any(static part => part is "." or "..")))
        {
            throw Refuse("path", "must begin with '/', and no part of it may be '.' or '..'.");
        }

        CheckCredential("client_secret", fields.ClientSecret);
        CheckCredential("service_token", fields.ServiceToken);
#pragma warning disable RS0030 // What was sent must look like a credential; nothing of it is repeated.
        if (fields.ServiceToken is { } token && !token.Reveal().StartsWith("st.", StringComparison.Ordinal))
#pragma warning restore RS0030
        {
            throw Refuse("service_token", "is no service token: those begin with 'st.'. A client secret goes into 'client_secret', with 'client_id'.");
        }
    }

    /// <summary>A credential is for one client id at one site, and must not be sent to another because of a request that does not have it.</summary>
    private static void CheckAccess(StoredInfisicalVault vault, StoredInfisicalVault changed, InfisicalVaultFields fields, bool isNew)
    {
        if (fields.ServiceToken is not null && (fields.ClientId is not null || fields.ClientSecret is not null))
        {
            throw Refuse("service_token", "takes the place of 'client_id' and 'client_secret'. Send it, or these two.");
        }

        if (fields.ClientSecret is not null && changed.ClientId is null)
        {
            throw Refuse("client_id", "is needed with 'client_secret': the client id of the machine identity.");
        }

        var needsCredential = isNew
            || !string.Equals(changed.SiteUrl, vault.SiteUrl, StringComparison.Ordinal)
            || (fields.ServiceToken is null && !string.Equals(changed.ClientId, vault.ClientId, StringComparison.Ordinal));
        if (needsCredential && CredentialIn(fields) is null)
        {
            throw Refuse("client_secret", isNew
                ? "is needed, with 'client_id': the universal-auth credentials of a machine identity. Or send a 'service_token'."
                : "must be sent again with another 'site_url' or 'client_id'. Or send a 'service_token'.");
        }
    }

    private static string FindSite(string text, ImmutableArray<string> sites) =>
        InfisicalSiteOptions.Normalize(text) is { } site && sites.Contains(site) ? site : throw Refuse("site_url", $"is not an instance that this gateway calls. {AllowedText(sites)}");

    private static string AllowedText(ImmutableArray<string> sites) =>
        $"It calls {string.Join(", ", sites)}; its operator adds others with the setting {InfisicalSiteOptions.Setting}.";

    private static void CheckText(string field, string? text, SearchValues<char> characters, int max, string rule)
    {
        if (text is not null && (text.Length == 0 || text.Length > max || text.AsSpan().IndexOfAnyExcept(characters) >= 0))
        {
            throw Refuse(field, $"must have 1 to {max} characters, all of them {rule}.");
        }
    }

    private static void CheckCredential(string field, Secret? credential)
    {
#pragma warning disable RS0030 // What was sent must be a credential that can stand in a header; nothing of it is repeated.
        if (credential?.Reveal() is { } text && (text.Length is 0 or > MaxCredentialCharacters || text.AsSpan().ContainsAnyExceptInRange('!', '~')))
#pragma warning restore RS0030
        {
            throw Refuse(field, $"must have 1 to {MaxCredentialCharacters} characters, all of them printable ASCII without spaces.");
        }
    }

    private static CerverException Refuse(string field, string rule) => new(CerverError.InvalidRequest, $"'{field}' {rule}", field);
}
