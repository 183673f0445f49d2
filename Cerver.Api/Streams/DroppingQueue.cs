using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Cerver.Api.Streams;

/// <summary>What waits for whoever takes it, of which the oldest is dropped when it is too much.</summary>
/// <param name="sizeOf">How much an item is.</param>
/// <param name="maxSize">How much may wait.</param>
internal sealed class DroppingQueue<T>(Func<T, int> sizeOf, int maxSize)
{
    private readonly Channel<T> _items = Channel.CreateUnbounded<T>();
    private long _size;

    /// <summary>Adds an item. After the end it is dropped.</summary>
    public void Add(T item)
    {
        Interlocked.Add(ref _size, sizeOf(item));
        _items.Writer.TryWrite(item);
        while (Volatile.Read(ref _size) > maxSize && TryTake(out _))
        {
            // It makes room.
        }
    }

    /// <summary>Says that nothing comes any more.</summary>
    /// <param name="failure">Why, when that is a failure; whoever waits is told.</param>
    public void Complete(Exception? failure = null) => _items.Writer.TryComplete(failure);

    /// <summary>Takes the oldest item.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        var isTaken = _items.Reader.TryRead(out item);
        if (isTaken)
        {
            Interlocked.Add(ref _size, -sizeOf(item!));
        }

        return isTaken;
    }

    /// <summary>Waits until there is an item.</summary>
    /// <returns>False when nothing comes any more.</returns>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _items.Reader.WaitToReadAsync(cancellationToken);
}
