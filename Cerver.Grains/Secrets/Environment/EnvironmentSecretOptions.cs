using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Environment;

/// <summary>Who may have secrets from the environment of the gateway, or of the silos of a cluster.</summary>
internal sealed class EnvironmentSecretOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Secrets:Environment";

    /// <summary>The most accounts that can be named.</summary>
    internal const int MaxAccounts = 10_000;

    private const string DefaultAccount = "default";

    /// <summary>The ids of the accounts, at most 10,000; when there are none it is the account <c>default</c> alone.</summary>
    public IList<string> Accounts { get; } = [];

    /// <summary>Whether an account is one of them.</summary>
    internal bool Names(string accountId) =>
        Accounts.Count == 0 ? string.Equals(accountId, DefaultAccount, StringComparison.Ordinal) : Accounts.Contains(accountId);
}

/// <summary>Checks <see cref="EnvironmentSecretOptions"/> before the first request.</summary>
internal sealed class EnvironmentSecretOptionsValidator : IValidateOptions<EnvironmentSecretOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, EnvironmentSecretOptions options)
    {
        const string Setting = EnvironmentSecretOptions.Section + ":" + nameof(EnvironmentSecretOptions.Accounts);
        if (options.Accounts.Count > EnvironmentSecretOptions.MaxAccounts)
        {
            return ValidateOptionsResult.Fail($"{Setting} names {options.Accounts.Count} accounts; at most {EnvironmentSecretOptions.MaxAccounts} are allowed.");
        }

        return options.Accounts.FirstOrDefault(static account => !Ids.IsAccount(account)) is { } wrong
            ? ValidateOptionsResult.Fail($"{Setting} has '{wrong}', which is not an account id: 1 to 64 characters of a-z, 0-9 and '-'.")
            : ValidateOptionsResult.Success;
    }
}
