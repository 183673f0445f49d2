using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Environment;

/// <summary>Who may have secrets from the environment of the gateway, or of the silos of a cluster.</summary>
internal sealed class EnvironmentSecretOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Secrets:Environment";

    /// <summary>The ids of the accounts, at most 10,000; when there are none it is the account <c>default</c> alone.</summary>
    public IList<string> Accounts { get; } = [];
}

/// <summary>Checks <see cref="EnvironmentSecretOptions"/> before the first request.</summary>
internal sealed class EnvironmentSecretOptionsValidator : IValidateOptions<EnvironmentSecretOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, EnvironmentSecretOptions options) =>
        SecretAccounts.Check($"{EnvironmentSecretOptions.Section}:{nameof(EnvironmentSecretOptions.Accounts)}", options.Accounts);
}
