using System.Collections;
using Cerver.Secrets;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Environment;

/// <summary>
/// Secrets that the operator put into the environment of this process, as <c>CERVER_SECRET_NAME</c>. Whatever else is there is the gateway's
/// own and cannot be asked for. The system bounds it: a variable has at most 128 KiB, and all of them some megabytes.
/// </summary>
internal sealed class EnvironmentSecrets(IOptions<EnvironmentSecretOptions> options) : ISecretSource
{
    private const string Prefix = "CERVER_SECRET_";

    /// <inheritdoc/>
    public string Name => "env";

    /// <inheritdoc/>
    public bool IsLocal => true;

    /// <inheritdoc/>
    public ValueTask<bool> IsOpenToAsync(string accountId, CancellationToken cancellationToken) =>
        ValueTask.FromResult(SecretAccounts.Names(options.Value.Accounts, accountId));

    /// <inheritdoc/>
    /// <remarks>A variable without a value is one that is not set, as most programs see it.</remarks>
    public ValueTask<Secret?> FetchAsync(string accountId, string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult(System.Environment.GetEnvironmentVariable($"{Prefix}{name}") is { Length: > 0 } value ? new Secret(value) : null);

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<string>> ListAsync(string accountId, CancellationToken cancellationToken)
    {
        ImmutableArray<string> names =
        [
            .. System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .Where(static variable => variable is { Key: string key, Value: string { Length: > 0 } } && key.StartsWith(Prefix, StringComparison.Ordinal))
                .Select(static variable => ((string)variable.Key)[Prefix.Length..])
                .Where(SecretRules.IsName),
        ];
        return ValueTask.FromResult(names);
    }

    /// <inheritdoc/>
    public string HowToAdd(string name, bool isOpen) => isOpen
        ? $"To add one, start the gateway with the environment variable {Prefix}{name}."
        : $"To open the environment of the gateway to it, name this account in the setting {EnvironmentSecretOptions.Section}:{nameof(EnvironmentSecretOptions.Accounts)}.";
}
