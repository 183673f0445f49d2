using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets;

/// <summary>The accounts that an operator opens a source to. Pure.</summary>
internal static class SecretAccounts
{
    /// <summary>The most accounts that can be named.</summary>
    public const int MaxAccounts = 10_000;

    private const string DefaultAccount = "default";

    /// <summary>Whether an account is one of those that a setting names; when it names none it is the account <c>default</c> alone.</summary>
    public static bool Names(IList<string> accounts, string accountId) =>
        accounts.Count == 0 ? string.Equals(accountId, DefaultAccount, StringComparison.Ordinal) : accounts.Contains(accountId);

    /// <summary>Whether a setting names accounts as it should.</summary>
    /// <param name="setting">Where the setting stands.</param>
    /// <param name="accounts">What it names.</param>
    public static ValidateOptionsResult Check(string setting, IList<string> accounts)
    {
        if (accounts.Count > MaxAccounts)
        {
            return ValidateOptionsResult.Fail($"{setting} names {accounts.Count} accounts; at most {MaxAccounts} are allowed.");
        }

        return accounts.FirstOrDefault(static account => !Ids.IsAccount(account)) is { } wrong
            ? ValidateOptionsResult.Fail($"{setting} has '{wrong}', which is not an account id: 1 to 64 characters of a-z, 0-9 and '-'.")
            : ValidateOptionsResult.Success;
    }
}
