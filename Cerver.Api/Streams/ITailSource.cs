namespace Cerver.Api.Streams;

/// <summary>
/// What a <see cref="LiveTail{T}"/> follows: items that are rows before anybody hears of them, at dense positions from 1 on.
/// </summary>
internal interface ITailSource<T>
{
    /// <summary>Where an item stands.</summary>
    long PositionOf(T item);

    /// <summary>What an item takes in memory, in bytes, its own overhead included: many small ones count too.</summary>
    int SizeOf(T item);

    /// <summary>
    /// The rows after one position up to another, in order. It is asked only for positions that are on disk, so what is not among them is
    /// gone for good.
    /// </summary>
    IAsyncEnumerable<T> ReadRowsAsync(long after, long upTo, CancellationToken cancellationToken);

    /// <summary>
    /// Tells the tail what is written: <see cref="LiveTail{T}.Begin"/> first, then <see cref="LiveTail{T}.AddAsync"/> with what the live
    /// events bring and <see cref="LiveTail{T}.FillAsync"/> with how far the rows are. It goes on while somebody reads.
    /// </summary>
    /// <param name="tail">The tail to tell.</param>
    /// <param name="cancellationToken">The last reader has left.</param>
    /// <returns>Completes when nothing will be written any more, and the tail ends with it. A failure reaches every reader.</returns>
    Task FollowAsync(LiveTail<T> tail, CancellationToken cancellationToken);
}
