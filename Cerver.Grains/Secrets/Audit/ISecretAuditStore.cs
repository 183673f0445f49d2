using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Audit;

/// <summary>Where it is kept who asked for which secret. Every failure is a <see cref="CerverException"/>.</summary>
internal interface ISecretAuditStore
{
    /// <summary>Keeps accesses of an account, in one transaction. They are on disk when the task completes.</summary>
    Task RecordAsync(string accountId, ImmutableArray<SecretAccess> accesses, CancellationToken cancellationToken);

    /// <summary>Accesses of an account, the newest first.</summary>
    Task<SecretAccessPage> ListAsync(string accountId, SecretAccessFilter filter, CancellationToken cancellationToken);

    /// <summary>Removes what is older than the retention.</summary>
    Task RemoveOldAsync(CancellationToken cancellationToken);
}
