using Cerver.Grains.Upkeep;

namespace Cerver.Grains.Secrets.Audit;

/// <summary>Forgets who asked for a secret so long ago that nobody wants to know.</summary>
internal sealed class SecretAuditExpiry(ISecretAuditStore audit) : IUpkeep
{
    /// <inheritdoc/>
    public Task RunAsync(CancellationToken cancellationToken) => audit.RemoveOldAsync(cancellationToken);
}
