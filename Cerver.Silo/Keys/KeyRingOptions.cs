using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace Cerver.Silo.Keys;

/// <summary>How the keys themselves are kept with which credentials of accounts are encrypted.</summary>
internal sealed class KeyRingOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:DataProtection";

    /// <summary>A PKCS #12 file with an RSA certificate and its private key, with which the keys are encrypted; without it they are not. In a cluster all silos need the same.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>The password of that file.</summary>
    public string CertificatePassword { get; set; } = "";

    /// <summary>The certificate, or null when none is set.</summary>
    /// <exception cref="CryptographicException">The file is another one, or has another password.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    internal X509Certificate2? LoadCertificate() => CertificatePath.Length == 0
        ? null
        : X509CertificateLoader.LoadPkcs12(File.ReadAllBytes(CertificatePath), CertificatePassword);
}

/// <summary>Checks <see cref="KeyRingOptions"/> before the first request.</summary>
internal sealed class KeyRingOptionsValidator : IValidateOptions<KeyRingOptions>
{
    private const string Setting = KeyRingOptions.Section + ":" + nameof(KeyRingOptions.CertificatePath);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, KeyRingOptions options)
    {
        try
        {
            using var certificate = options.LoadCertificate();
            if (certificate is null)
            {
                return ValidateOptionsResult.Success;
            }

            using var key = certificate.GetRSAPrivateKey();
            return key is null
                ? ValidateOptionsResult.Fail($"{Setting} names '{options.CertificatePath}', which has no RSA key. Export the certificate with its private key.")
                : ValidateOptionsResult.Success;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return ValidateOptionsResult.Fail($"{Setting} names '{options.CertificatePath}', which cannot be read: {failure.Message}");
        }
        catch (CryptographicException)
        {
            return ValidateOptionsResult.Fail(
                $"{Setting} names '{options.CertificatePath}', which is no PKCS #12 file, or {KeyRingOptions.Section}:{nameof(KeyRingOptions.CertificatePassword)} is not its password.");
        }
    }
}
