using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>The vaults that accounts brought along themselves. Their grain is asked each time, which costs microseconds: a change counts at once, on every silo.</summary>
internal sealed class InfisicalAccountVaults(IGrainFactory grains) : IInfisicalVaults
{
    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<InfisicalVault>> OfAsync(string accountId, CancellationToken cancellationToken)
    {
        var vaults = await grains.GetGrain<IInfisicalVaultGrain>(InfisicalVaultKey.For(accountId)).OpenAsync(cancellationToken);
        return [.. vaults.Select(static vault => new InfisicalVault(vault.SiteUrl, vault.ProjectId, vault.Environment, vault.Path, vault.ClientId, vault.Credential))];
    }
}
