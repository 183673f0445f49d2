using Cerver.Secrets;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>The one vault that the operator gives to accounts by settings.</summary>
internal sealed class OperatorInfisicalVaults(IOptions<InfisicalOptions> options) : IInfisicalVaults
{
    private readonly ImmutableArray<InfisicalVault> _vaults = options.Value switch
    {
        { IsConfigured: false } => [],
        { ServiceToken.Length: > 0 } given => [new(given.SiteUrl, given.ProjectId, given.Environment, given.Path, ClientId: null, new Secret(given.ServiceToken))],
        var given => [new(given.SiteUrl, given.ProjectId, given.Environment, given.Path, given.ClientId, new Secret(given.ClientSecret))],
    };

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<InfisicalVault>> OfAsync(string accountId, CancellationToken cancellationToken) =>
        ValueTask.FromResult(SecretAccounts.Names(options.Value.Accounts, accountId) ? _vaults : []);
}
