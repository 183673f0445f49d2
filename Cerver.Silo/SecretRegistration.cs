using Cerver.Grains.Secrets;
using Cerver.Grains.Secrets.Audit;
using Cerver.Grains.Secrets.Backends;
using Cerver.Grains.Secrets.Environment;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Grains.Secrets.Vault;
using Cerver.Grains.Upkeep;
using Microsoft.Extensions.Options;

namespace Cerver.Silo;

/// <summary>Registers the sources of secrets, and what keeps their values out of everything that is written.</summary>
internal static class SecretRegistration
{
    /// <summary>The environment, Infisical and then Vault, in the order in which they are asked; an account's own projects of Infisical before the operator's.</summary>
    public static IServiceCollection AddSecrets(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<SecretOptions>().BindConfiguration(SecretOptions.Section);
        services.AddSingleton<IValidateOptions<SecretOptions>, SecretOptions.Validator>();
        services.AddOptionsWithValidateOnStart<EnvironmentSecretOptions>().BindConfiguration(EnvironmentSecretOptions.Section);
        services.AddSingleton<IValidateOptions<EnvironmentSecretOptions>, EnvironmentSecretOptionsValidator>();
        services.AddOptionsWithValidateOnStart<InfisicalSiteOptions>().BindConfiguration(InfisicalSiteOptions.Section);
        services.AddSingleton<IValidateOptions<InfisicalSiteOptions>, InfisicalSiteOptionsValidator>();
        services.AddSingleton<IInfisicalVaults, InfisicalAccountVaults>().AddSingleton<ISecretSource, EnvironmentSecrets>().AddSecretBackends();
        services.AddOptionsWithValidateOnStart<SecretAuditOptions>().BindConfiguration(SecretAuditOptions.Section);
        services.AddSingleton<IValidateOptions<SecretAuditOptions>, SecretAuditOptionsValidator>();
        services.AddSingleton<IUpkeep, SecretAuditExpiry>();
        return services.AddSingleton<SecretSources>().AddSingleton<TaintRegistry>().AddSingleton<TaintedSilos>().AddGrainService<TaintService>()
            .AddSingleton<ILifecycleParticipant<ISiloLifecycle>, TaintHandover>();
    }

    /// <summary>The backends that settings connect: Infisical and then Vault. Each is open to nobody unless they do.</summary>
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
