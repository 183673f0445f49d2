using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>
/// Secrets in projects of Infisical. The vaults of an account are asked one after the other, and the first that has a secret has it. One that cannot be asked ends the
/// search: the next one may have another secret of the same name.
/// </summary>
internal sealed class InfisicalSecrets(IEnumerable<IInfisicalVaults> vaults, InfisicalClient client) : ISecretSource
{
    /// <inheritdoc/>
    public string Name => InfisicalClient.Source;

    /// <inheritdoc/>
    public async ValueTask<bool> IsOpenToAsync(string accountId, CancellationToken cancellationToken)
    {
        foreach (var some in vaults)
        {
            if ((await some.OfAsync(accountId, cancellationToken)).Length > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public async ValueTask<Secret?> FetchAsync(string accountId, string name, CancellationToken cancellationToken)
    {
        foreach (var vault in await VaultsAsync(accountId, cancellationToken))
        {
            if (await client.FetchAsync(vault, name, cancellationToken) is { } secret)
            {
                return secret;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string>> ListAsync(string accountId, CancellationToken cancellationToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var vault in await VaultsAsync(accountId, cancellationToken))
        {
            names.UnionWith(await client.ListAsync(vault, cancellationToken));
        }

        return [.. names];
    }

    /// <inheritdoc/>
    public string HowToAdd(string name, bool isOpen) => isOpen
        ? $"Or create {name} in the project of Infisical that is connected to this account."
        : $"To have Infisical asked, connect a project of your own with POST /v2/account/infisical, or have one connected with the settings {InfisicalOptions.Section} and this account named in its {nameof(InfisicalOptions.Accounts)}.";

    private async Task<List<InfisicalVault>> VaultsAsync(string accountId, CancellationToken cancellationToken)
    {
        var all = new List<InfisicalVault>();
        foreach (var some in vaults)
        {
            all.AddRange(await some.OfAsync(accountId, cancellationToken));
        }

        return all;
    }
}
