using Cerver.Errors;
using Orleans.Concurrency;

namespace Cerver.Secrets;

/// <summary>The projects of Infisical that one account brought along, each with what lets the gateway in. It is their only writer.</summary>
/// <remarks>Keyed by <see cref="InfisicalVaultKey"/>. Client secrets and service tokens come in and are kept encrypted; only <see cref="OpenAsync"/> gives them out again.</remarks>
[Alias("cerver.vaults"), GrainInterfaceType("cerver.vaults")]
public interface IInfisicalVaultGrain : IGrainWithStringKey
{
    /// <summary>The account's vaults, the default first and then the oldest first.</summary>
    [Alias("list"), ReadOnly]
    Task<ImmutableArray<InfisicalVaultRecord>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Makes a vault. The first one is the default. Whoever makes the id anew for each request may repeat the call: it finds the vault then.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> names the field at fault; <see cref="CerverError.Conflict"/> when the account has as many as it may;
    /// <see cref="CerverError.SecretBackendUnavailable"/> when nothing can be encrypted.
    /// </exception>
    [Alias("create")]
    Task<InfisicalVaultRecord> CreateAsync(string vaultId, InfisicalVaultFields fields, CancellationToken cancellationToken = default);

    /// <summary>Changes a vault. Fields that are null stay. Repeating it is fine.</summary>
    /// <exception cref="CerverException">As for <see cref="CreateAsync"/>, and <see cref="CerverError.NotFound"/>.</exception>
    [Alias("update")]
    Task<InfisicalVaultRecord> UpdateAsync(string vaultId, InfisicalVaultFields fields, CancellationToken cancellationToken = default);

    /// <summary>Removes a vault with its credential. If it was the default, the oldest of the others is now. Repeating it is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    [Alias("delete")]
    Task DeleteAsync(string vaultId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Has Infisical asked whether it lets the gateway in, and notes what came of it. Fetches go on meanwhile. Whoever asks while it is being found out
    /// waits for the same answer.
    /// </summary>
    /// <returns>The vault, whatever came of it.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    [Alias("verify"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<InfisicalVaultRecord> VerifyAsync(string vaultId, CancellationToken cancellationToken = default);

    /// <summary>Notes what came of a verification, unless the vault has changed since it began. For the grain itself.</summary>
    /// <returns>The vault.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    [Alias("note-verified")]
    Task<InfisicalVaultRecord> NoteVerifiedAsync(InfisicalVaultCheck check, CancellationToken cancellationToken = default);

    /// <summary>The account's vaults with their credentials, the default first and then the oldest first. For the source of secrets, not for callers.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SecretBackendUnavailable"/> when a credential cannot be decrypted, or a vault is at a site that the operator allows no more.
    /// </exception>
    [Alias("open"), ReadOnly]
    Task<ImmutableArray<OpenInfisicalVault>> OpenAsync(CancellationToken cancellationToken = default);
}

/// <summary>A vault as its account sees it: everything but what lets the gateway in.</summary>
/// <param name="VaultId"><c>vault_…</c>.</param>
/// <param name="Label">A name for people, or null.</param>
/// <param name="ProjectId">The project of Infisical.</param>
/// <param name="Environment">The slug of its environment.</param>
/// <param name="Path">The folder of the secrets.</param>
/// <param name="SiteUrl">The address of the instance, without a path.</param>
/// <param name="ClientId">The machine identity's client id, or null with a service token.</param>
/// <param name="IsDefault">Whether it is asked before the others.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="LastVerifiedAt">When it was last verified since it was made or its access changed, whatever came of it; or null.</param>
/// <param name="LastVerifyError">What was wrong then, a sentence; null when nothing was.</param>
[GenerateSerializer, Immutable, Alias("cerver.vault.record")]
public sealed record InfisicalVaultRecord(
    [property: Id(0)] string VaultId,
    [property: Id(1)] string? Label,
    [property: Id(2)] string ProjectId,
    [property: Id(3)] string Environment,
    [property: Id(4)] string Path,
    [property: Id(5)] string SiteUrl,
    [property: Id(6)] string? ClientId,
    [property: Id(7)] bool IsDefault,
    [property: Id(8)] DateTimeOffset CreatedAt,
    [property: Id(9)] DateTimeOffset? LastVerifiedAt,
    [property: Id(10)] string? LastVerifyError);

/// <summary>What a vault is to be. A field that is null stays as it is, or is what it is by default.</summary>
/// <param name="Label">A name for people, at most 200 characters; empty for none.</param>
/// <param name="ProjectId">The project of Infisical. A new vault needs it.</param>
/// <param name="Environment">The slug of its environment; <c>prod</c> by default.</param>
/// <param name="Path">The folder of the secrets; <c>/</c> by default.</param>
/// <param name="SiteUrl">The address of the instance, one of those that the operator allows, the first of them by default.</param>
/// <param name="ClientId">The machine identity's client id, with <paramref name="ClientSecret"/>.</param>
/// <param name="ClientSecret">Its client secret.</param>
/// <param name="ServiceToken">A service token, in the place of both.</param>
/// <param name="IsDefault">Whether it is asked before the others.</param>
[GenerateSerializer, Immutable, Alias("cerver.vault.fields")]
public sealed record InfisicalVaultFields(
    [property: Id(0)] string? Label = null,
    [property: Id(1)] string? ProjectId = null,
    [property: Id(2)] string? Environment = null,
    [property: Id(3)] string? Path = null,
    [property: Id(4)] string? SiteUrl = null,
    [property: Id(5)] string? ClientId = null,
    [property: Id(6)] Secret? ClientSecret = null,
    [property: Id(7)] Secret? ServiceToken = null,
    [property: Id(8)] bool? IsDefault = null);

/// <summary>What came of a verification.</summary>
/// <param name="VaultId">The vault.</param>
/// <param name="Revision">Which state of its access was verified.</param>
/// <param name="At">When.</param>
/// <param name="Error">What was wrong, a sentence; null when nothing was.</param>
[GenerateSerializer, Immutable, Alias("cerver.vault.check")]
public sealed record InfisicalVaultCheck(
    [property: Id(0)] string VaultId,
    [property: Id(1)] int Revision,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] string? Error);

/// <summary>A vault with what lets the gateway in.</summary>
/// <param name="ProjectId">The project of Infisical.</param>
/// <param name="Environment">The slug of its environment.</param>
/// <param name="Path">The folder of the secrets.</param>
/// <param name="SiteUrl">The address of the instance, without a path.</param>
/// <param name="ClientId">The machine identity's client id, or null with a service token.</param>
/// <param name="Credential">The client secret; without a client id a service token.</param>
[GenerateSerializer, Immutable, Alias("cerver.vault.open")]
public sealed record OpenInfisicalVault(
    [property: Id(0)] string ProjectId,
    [property: Id(1)] string Environment,
    [property: Id(2)] string Path,
    [property: Id(3)] string SiteUrl,
    [property: Id(4)] string? ClientId,
    [property: Id(5)] Secret Credential);

/// <summary>The grain key of an account's vaults.</summary>
public static class InfisicalVaultKey
{
    private const string Prefix = "vaults:";

    /// <summary>The key of one account's vaults.</summary>
    public static string For(string accountId) => $"{Prefix}{accountId}";

    /// <summary>The account that a key names.</summary>
    public static string Parse(string key) => key[Prefix.Length..];
}
