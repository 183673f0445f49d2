using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>Which projects of Infisical an account has secrets in.</summary>
internal interface IInfisicalVaults
{
    /// <summary>The account's, the one that is asked first first; empty when it has none.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SecretBackendUnavailable"/> when one of them cannot be used; <see cref="CerverError.StorageUnavailable"/>.</exception>
    ValueTask<ImmutableArray<InfisicalVault>> OfAsync(string accountId, CancellationToken cancellationToken);
}

/// <summary>One environment of a project of Infisical, and how the gateway gets in.</summary>
/// <param name="SiteUrl">The address of the instance, without a path, such as <c>https://app.infisical.com</c>.</param>
/// <param name="ProjectId">The project.</param>
/// <param name="Environment">The slug of the environment, such as <c>prod</c>.</param>
/// <param name="Path">The folder of the secrets, <c>/</c> for the topmost.</param>
/// <param name="ClientId">The machine identity's client id for universal-auth, or null with a service token.</param>
/// <param name="Credential">The client secret; without a client id a service token (<c>st.…</c>).</param>
internal sealed record InfisicalVault(string SiteUrl, string ProjectId, string Environment, string Path, string? ClientId, Secret Credential);
