using Cerver.Errors;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>Finds out whether the gateway gets into a vault.</summary>
internal interface IInfisicalVerifier
{
    /// <summary>Logs in and lists the folder, without any value.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SecretBackendUnavailable"/>, saying why and what to do, when that fails.</exception>
    Task VerifyAsync(InfisicalVault vault, CancellationToken cancellationToken);
}
