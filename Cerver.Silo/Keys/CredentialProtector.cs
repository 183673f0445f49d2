using System.Security.Cryptography;
using Cerver.Errors;
using Cerver.Grains.Secrets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;
using Secret = Cerver.Secrets.Secret;

namespace Cerver.Silo.Keys;

/// <summary>Encrypts credentials with ASP.NET Core Data Protection.</summary>
internal sealed partial class CredentialProtector : ICredentialProtector
{
    /// <summary>Part of what everything is encrypted for. With another one nothing could be decrypted any more.</summary>
    private const string Application = "cerver";

    /// <summary>Part of what everything is encrypted for, as well.</summary>
    private const string Purpose = "cerver.credential";

    /// <summary>
    /// How old the keys in memory are at least when a missing one has them read again. For two minutes Data Protection does that itself, and then no more: two silos that
    /// made the first key at the same moment would not find each other's.
    /// </summary>
    private static readonly TimeSpan ReloadAfter = TimeSpan.FromMinutes(1);

    private readonly IXmlRepository _keys;
    private readonly KeyRingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Lock _loading = new();
    private Ring? _ring;

    public CredentialProtector(IXmlRepository keys, IOptions<KeyRingOptions> options, TimeProvider time, ILoggerFactory loggers)
    {
        (_keys, _options, _time, _loggers) = (keys, options.Value, time, loggers);
        _logger = loggers.CreateLogger<CredentialProtector>();
    }

    /// <inheritdoc/>
    public string Protect(string accountId, string recordId, Secret credential)
    {
        try
        {
#pragma warning disable RS0030 // It is to be encrypted.
            return Protector(Load(), accountId, recordId).Protect(credential.Reveal());
#pragma warning restore RS0030
        }
        catch (CryptographicException failure)
        {
            throw Refuse(failure, "The gateway has no key to encrypt a credential with, and its operator finds the reason in its log. Nothing was stored.");
        }
    }

    /// <inheritdoc/>
    public Secret Unprotect(string accountId, string recordId, string text)
    {
        var ring = Load();
        try
        {
            return Unprotect(ring, accountId, recordId, text);
        }
        catch (CryptographicException failure) when (_time.GetElapsedTime(ring.LoadedAt) < ReloadAfter)
        {
            throw Undecryptable(failure, recordId);
        }
        catch (CryptographicException)
        {
            ring = Reload(ring);
        }

        try
        {
            return Unprotect(ring, accountId, recordId, text);
        }
        catch (CryptographicException failure)
        {
            throw Undecryptable(failure, recordId);
        }
    }

    private static IDataProtector Protector(Ring ring, string accountId, string recordId) => ring.Provider.CreateProtector(Purpose, accountId, recordId);

    private static Secret Unprotect(Ring ring, string accountId, string recordId, string text) => new(Protector(ring, accountId, recordId).Unprotect(text));

    private CerverException Undecryptable(CryptographicException failure, string recordId) => Refuse(
        failure,
        $"The credential of '{recordId}' cannot be decrypted: its key is missing. Restore the gateway's keys from a backup and restart it, or send the credential again with PATCH.");

    /// <summary>What keeps the keys says itself what is wrong there.</summary>
    private CerverException Refuse(CryptographicException failure, string message)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is CerverException refusal)
            {
                return refusal;
            }
        }

        LogFailed(failure);
        return new CerverException(CerverError.SecretBackendUnavailable, message);
    }

    private Ring Load() => _ring ?? Reload(stale: null);

    private Ring Reload(Ring? stale)
    {
        lock (_loading)
        {
            return _ring == stale ? _ring = Make() : _ring!;
        }
    }

    /// <summary>Keys that are in memory are not forgotten otherwise, and need nothing of the host but its log.</summary>
    private Ring Make()
    {
        var services = new ServiceCollection().AddSingleton(_loggers).AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        var protection = services.AddDataProtection().SetApplicationName(Application);
        services.Configure<KeyManagementOptions>(options => options.XmlRepository = _keys);
        if (_options.LoadCertificate() is { } certificate)
        {
            protection.ProtectKeysWithCertificate(certificate);
        }
        else
        {
            LogUnencrypted($"{KeyRingOptions.Section}:{nameof(KeyRingOptions.CertificatePath)}");
        }

        return new(services.BuildServiceProvider().GetRequiredService<IDataProtectionProvider>(), _time.GetTimestamp());
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The keys with which credentials of accounts are encrypted are not encrypted themselves: keep them and their backups from others. The setting {Setting} changes that")]
    private partial void LogUnencrypted(string setting);

    [LoggerMessage(Level = LogLevel.Error, Message = "A credential could not be encrypted or decrypted")]
    private partial void LogFailed(CryptographicException failure);

    /// <summary>Keys in memory.</summary>
    /// <param name="Provider">Encrypts and decrypts with them.</param>
    /// <param name="LoadedAt">A timestamp of the clock.</param>
    private sealed record Ring(IDataProtectionProvider Provider, long LoadedAt);
}
