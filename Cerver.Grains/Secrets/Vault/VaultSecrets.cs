using Cerver.Secrets;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Vault;

/// <summary>
/// Secrets in a HashiCorp Vault or an OpenBao, in an engine of the kind KV, version 2. A secret is a document of its name in one folder of one mount. The value is its
/// field <c>value</c>, or whatever field the settings name; a document with one text only has that as its value.
/// </summary>
internal sealed class VaultSecrets(IOptions<VaultOptions> options, VaultClient client) : ISecretSource
{
    /// <inheritdoc/>
    public string Name => VaultClient.Source;

    /// <inheritdoc/>
    public ValueTask<bool> IsOpenToAsync(string accountId, CancellationToken cancellationToken) =>
        ValueTask.FromResult(options.Value.IsConfigured && SecretAccounts.Names(options.Value.Accounts, accountId));

    /// <inheritdoc/>
    public async ValueTask<Secret?> FetchAsync(string accountId, string name, CancellationToken cancellationToken) =>
        await client.FetchAsync(accountId, name, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A document whose newest version was deleted keeps its name in the list.</remarks>
    public async ValueTask<ImmutableArray<string>> ListAsync(string accountId, CancellationToken cancellationToken) => await client.ListAsync(accountId, cancellationToken);

    /// <inheritdoc/>
    public string HowToAdd(string name, bool isOpen) => isOpen
        ? $"Or write the field '{options.Value.Field}' of a document {name} in the mount '{options.Value.Mount}' of the Vault."
        : $"To have a Vault asked, connect it with the settings {VaultOptions.Section}, and name this account in its {nameof(VaultOptions.Accounts)}.";
}
