using Cerver.Grains.Secrets;
using Cerver.Silo.Standalone;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;

namespace Cerver.Silo.Keys;

/// <summary>Registers what encrypts the credentials that accounts entrust to the gateway.</summary>
internal static class CredentialProtection
{
    /// <summary>With keys in the data directory.</summary>
    public static IServiceCollection AddCredentialProtection(this IServiceCollection services, DataDirectory data) =>
        services.AddCredentialProtector().AddSingleton<IXmlRepository>(new KeyFiles(data.KeysPath));

    /// <summary>With keys in the database that all silos share.</summary>
    public static IServiceCollection AddCredentialProtection(this IServiceCollection services) =>
        services.AddCredentialProtector().AddSingleton<IXmlRepository, KeyTable>();

    private static IServiceCollection AddCredentialProtector(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<KeyRingOptions>().BindConfiguration(KeyRingOptions.Section);
        services.AddSingleton<IValidateOptions<KeyRingOptions>, KeyRingOptionsValidator>();
        return services.AddSingleton<ICredentialProtector, CredentialProtector>();
    }
}
