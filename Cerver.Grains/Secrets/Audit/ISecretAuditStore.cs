using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Audit;

/// <summary>Where it is kept who asked for which secret. Every failure is a <see cref="CerverException"/>.</summary>
internal interface ISecretAuditStore
{
    /// <summary>How many are removed with one commit.</summary>
    const int RemovedAtOnce = 256;

    /// <summary>Keeps accesses of an account, in one transaction. They are on disk when the task completes.</summary>
    Task RecordAsync(string accountId, ImmutableArray<SecretAccess> accesses, CancellationToken cancellationToken);

    /// <summary>Accesses of an account, the newest first. It reads about as many as it gives, unless it is of one secret in one session: then those of the session.</summary>
    Task<SecretAccessPage> ListAsync(string accountId, SecretAccessFilter filter, CancellationToken cancellationToken);

    /// <summary>Removes what is older than <see cref="SecretAuditOptions.Retention"/>.</summary>
    Task RemoveOldAsync(CancellationToken cancellationToken);
}
