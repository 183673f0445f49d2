using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cerver.Errors;
using Cerver.Secrets;
using Cerver.Silo.Keys;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Secrets;

/// <summary>Keys in a data directory.</summary>
public sealed class CredentialProtectorTests : IDisposable
{
    private const UnixFileMode OwnerReadsAndWrites = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly Secret Credential = new("a-client-secret-nobody-may-see");

    private readonly string _path = Directory.CreateTempSubdirectory("cerver-keys-").FullName;

    private string Keys => Path.Combine(_path, "keys");

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Keys_are_for_nobody_else_to_read_and_are_the_same_after_a_restart()
    {
        var text = Protect(Protector());

        Assert.Equal(Credential, Unprotect(Protector(), text));
        Assert.Equal(OwnerReadsAndWrites | UnixFileMode.UserExecute, File.GetUnixFileMode(Keys));
        Assert.Equal(OwnerReadsAndWrites, File.GetUnixFileMode(Assert.Single(Directory.GetFiles(Keys))));
    }

    [Fact]
    public void Two_gateways_that_made_the_first_key_at_the_same_moment_read_what_either_wrote()
    {
        var other = Path.Combine(_path, "other");
        var (first, second) = (Protector(), Protector(keys: other));
        var (ofFirst, ofSecond) = (Protect(first), Protect(second));

        Copy(from: other, to: Keys);
        Copy(from: Keys, to: other);

        Assert.Equal((Credential, Credential), (Unprotect(first, ofSecond), Unprotect(second, ofFirst)));
    }

    [Fact]
    public void Without_its_key_a_credential_is_refused_with_what_to_do_and_with_it_everything_is_as_before()
    {
        var text = Protect(Protector());
        var away = Path.Combine(_path, "away");
        Directory.Move(Keys, away);
        var time = new FakeTimeProvider();
        var protector = Protector(time: time);

        var refusal = Assert.Throws<CerverException>(() => Unprotect(protector, text));
        Copy(from: away, to: Keys);
        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
        Assert.Equal(
            "The credential of 'vault_1' cannot be decrypted: its key is missing. Restore the gateway's keys from a backup and restart it, or send the credential again with PATCH.",
            refusal.Message);
        Assert.Equal(Credential, Unprotect(protector, text));
    }

    [Fact]
    public void Keys_that_cannot_be_read_or_stored_are_refused_by_what_is_wrong_with_them()
    {
        var text = Protect(Protector());
        File.WriteAllText(Directory.GetFiles(Keys)[0], "<key");
        var unreadable = Assert.Throws<CerverException>(() => Unprotect(Protector(), text));
        File.WriteAllText(Path.Combine(_path, "file"), "");
        var unwritable = Assert.Throws<CerverException>(() => Protect(Protector(keys: Path.Combine(_path, "file", "keys"))));

        Assert.Equal(
            (CerverError.SecretBackendUnavailable, "The keys in the data directory's 'keys' cannot be read. Restore that directory from a backup, and see that the gateway may read it."),
            (unreadable.Code, unreadable.Message));
        Assert.Equal(CerverError.StorageUnavailable, unwritable.Code);
    }

    [Fact]
    public void With_a_certificate_the_keys_are_of_no_use_without_it()
    {
        var options = new KeyRingOptions { CertificatePath = NewCertificate("password"), CertificatePassword = "password" };
        var text = Protect(Protector(options));

        Assert.True(new KeyRingOptionsValidator().Validate(Options.DefaultName, options).Succeeded);
        Assert.Equal(Credential, Unprotect(Protector(options), text));
        Assert.Contains("EncryptedData", File.ReadAllText(Directory.GetFiles(Keys)[0]), StringComparison.Ordinal);
        foreach (var other in (KeyRingOptions[])[new(), new() { CertificatePath = NewCertificate("x"), CertificatePassword = "x" }])
        {
            Assert.Equal(CerverError.SecretBackendUnavailable, Assert.Throws<CerverException>(() => Unprotect(Protector(other), text)).Code);
        }
    }

    [Fact]
    public void A_certificate_that_cannot_be_used_stops_the_start_and_its_password_is_told_to_nobody()
    {
        var path = NewCertificate("password");
        var publicOnly = Path.Combine(_path, "public.p12");
        using (var certificate = X509CertificateLoader.LoadCertificate(X509CertificateLoader.LoadPkcs12FromFile(path, "password").RawData))
        {
            File.WriteAllBytes(publicOnly, certificate.Export(X509ContentType.Pkcs12, "password"));
        }

        var messages = ((string Path, string Password, string Expected)[])[
            (path, "wrong-one", "CertificatePassword is not its password"), (Path.Combine(_path, "nothing"), "wrong-one", "cannot be read"), (publicOnly, "password", "no RSA key")];
        foreach (var (file, password, expected) in messages)
        {
            var result = new KeyRingOptionsValidator().Validate(Options.DefaultName, new() { CertificatePath = file, CertificatePassword = password });

            Assert.Contains("Cerver:DataProtection:CertificatePath names", result.FailureMessage, StringComparison.Ordinal);
            Assert.Contains(expected, result.FailureMessage, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong-one", result.FailureMessage, StringComparison.Ordinal);
        }
    }

    private static string Protect(CredentialProtector protector) => protector.Protect("alice", "vault_1", Credential);

    private static Secret Unprotect(CredentialProtector protector, string text) => protector.Unprotect("alice", "vault_1", text);

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }

    private CredentialProtector Protector(KeyRingOptions? options = null, string? keys = null, TimeProvider? time = null) =>
        new(new KeyFiles(keys ?? Keys), Options.Create(options ?? new()), time ?? TimeProvider.System, NullLoggerFactory.Instance);

    private string NewCertificate(string password)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=cerver", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var path = Path.Combine(_path, $"{Guid.NewGuid():n}.p12");
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pkcs12, password));
        return path;
    }
}
