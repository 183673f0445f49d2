using Cerver.Runs;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Cerver.Grains.Runs;

/// <inheritdoc cref="IQueueBellGrain"/>
[GrainType("queue-bell"), Reentrant, PreferLocalPlacement]
internal sealed class QueueBellGrain(TimeProvider time) : Grain, IQueueBellGrain
{
    private readonly News _written = new();

    /// <inheritdoc/>
    public Task RingAsync()
    {
        _written.Tell();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken) => _written.WaitAsync(known, atMost, time, cancellationToken);
}
