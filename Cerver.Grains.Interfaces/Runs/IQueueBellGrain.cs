using Orleans.Concurrency;

namespace Cerver.Runs;

/// <summary>
/// Tells the reader of a queue of live output that something was put into it, wherever in the cluster writer and reader are.
/// </summary>
/// <remarks>Keyed by the queue's number. A word that is lost costs time only: the reader looks once a second all the same.</remarks>
[Alias("cerver.queue-bell"), GrainInterfaceType("cerver.queue-bell")]
public interface IQueueBellGrain : IGrainWithIntegerKey
{
    /// <summary>Something was written.</summary>
    [Alias("ring"), OneWay]
    Task RingAsync();

    /// <summary>Waits until something was written.</summary>
    /// <param name="known">What the last call returned, 0 at first.</param>
    /// <param name="atMost">How long; five seconds if it is more.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to call with next.</returns>
    [Alias("wait")]
    Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken = default);
}
