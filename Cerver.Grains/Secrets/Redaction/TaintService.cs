using Cerver.Secrets;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Cerver.Grains.Secrets.Redaction;

/// <inheritdoc cref="ITaintService"/>
[Reentrant]
internal sealed class TaintService(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, TaintRegistry taints) : GrainService(id, silo, loggers), ITaintService
{
    /// <inheritdoc/>
    public Task AddAsync(string accountId, ImmutableArray<FetchedSecret> secrets)
    {
        taints.Known(accountId).Add(secrets);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<ImmutableArray<FetchedSecret>> ListAsync(string accountId) =>
        Task.FromResult<ImmutableArray<FetchedSecret>>([.. taints.Known(accountId).Values]);
}
