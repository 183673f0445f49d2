using Cerver.Grains.Secrets;
using Cerver.Grains.Secrets.Backends;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Grains.Secrets.Vault;
using Microsoft.Extensions.Options;

namespace Cerver.Silo;

/// <summary>Registers the backends of secrets.</summary>
internal static class SecretRegistration
{
    /// <summary>Infisical and then Vault, in the order in which they are asked. Each is open to nobody unless settings connect it.</summary>
    public static IServiceCollection AddSecretBackends(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<InfisicalOptions>().BindConfiguration(InfisicalOptions.Section);
        services.AddSingleton<IValidateOptions<InfisicalOptions>, InfisicalOptionsValidator>();
        services.AddOptionsWithValidateOnStart<VaultOptions>().BindConfiguration(VaultOptions.Section);
        services.AddSingleton<IValidateOptions<VaultOptions>, VaultOptionsValidator>();
        return services.AddSingleton<BackendHttp>()
            .AddSingleton<InfisicalClient>().AddSingleton<IInfisicalVerifier>(static services => services.GetRequiredService<InfisicalClient>())
            .AddSingleton<IInfisicalVaults, OperatorInfisicalVaults>().AddSingleton<ISecretSource, InfisicalSecrets>()
            .AddSingleton<VaultClient>().AddSingleton<ISecretSource, VaultSecrets>();
    }
}
