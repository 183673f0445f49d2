using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets;

/// <summary>Encrypts what accounts entrust to the gateway, for whoever keeps it. Members may be called at once from anywhere.</summary>
internal interface ICredentialProtector
{
    /// <summary>Encrypts a credential. What comes out is of no use for another account or another record.</summary>
    /// <param name="accountId">Whose it is.</param>
    /// <param name="recordId">What it belongs to.</param>
    /// <param name="credential">The credential.</param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SecretBackendUnavailable"/> when there are no keys to encrypt with; <see cref="CerverError.StorageUnavailable"/> when what keeps
    /// the keys does not answer.
    /// </exception>
    string Protect(string accountId, string recordId, Secret credential);

    /// <summary>Decrypts what <see cref="Protect"/> made for the same account and the same record.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SecretBackendUnavailable"/> when the key is missing or the text is another one; <see cref="CerverError.StorageUnavailable"/> when
    /// what keeps the keys does not answer.
    /// </exception>
    Secret Unprotect(string accountId, string recordId, string text);
}
