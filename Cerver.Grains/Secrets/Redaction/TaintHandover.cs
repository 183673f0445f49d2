using Cerver.Errors;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>
/// Before a silo leaves, the others hear from it what accounts were given. Values are in memory only, and those that their sources have replaced since cannot be read again: without this
/// they would be forgotten when a cluster is renewed silo by silo.
/// </summary>
internal sealed partial class TaintHandover(TaintRegistry registry, TaintedSilos silos, TimeProvider time, ILogger<TaintHandover> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>A stop has other things to do too.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(TaintHandover), ServiceLifecycleStage.Last, static _ => Task.CompletedTask, HandOverAsync);

    private async Task HandOverAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(registry.Known().Select(known => silos.AddAsync(known.AccountId, [.. known.Taints.Values]))).WaitAsync(Limit, time, cancellationToken);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException or OperationCanceledException)
        {
            // The sources are still there.
            LogFailed(failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The other silos could not be told what accounts were given")]
    private partial void LogFailed(Exception failure);
}
