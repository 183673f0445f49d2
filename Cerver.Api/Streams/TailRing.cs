using System.Numerics;

namespace Cerver.Api.Streams;

/// <summary>The newest items of a tail, at most so many bytes of them, in the order of their positions.</summary>
/// <param name="maxBytes">How much is kept. The oldest go first.</param>
internal sealed class TailRing<T>(int maxBytes)
{
    private const int InitialCapacity = 16;

    /// <summary>The length is a power of two, so that a place in it is a mask away.</summary>
    private Slot[] _slots = new Slot[InitialCapacity];
    private int _first;
    private int _count;
    private long _bytes;

    /// <summary>The position of the oldest item, or null when there is none.</summary>
    public long? First => _count == 0 ? null : At(0).Position;

    /// <summary>Adds an item beyond the last.</summary>
    public void Add(T item, long position, int bytes)
    {
        if (_count == _slots.Length)
        {
            Grow();
        }

        At(_count++) = new Slot(item, position, bytes);
        _bytes += bytes;
        while (_bytes > maxBytes)
        {
            _bytes -= At(0).Bytes;
            At(0) = default;
            _first = (_first + 1) & (_slots.Length - 1);
            _count--;
        }
    }

    /// <summary>Copies the items after a position, until they are at least so many bytes.</summary>
    public void CopyAfter(long position, List<T> taken, int bytes)
    {
        for (var index = FindAfter(position); index < _count && bytes > 0; index++)
        {
            ref var slot = ref At(index);
            taken.Add(slot.Item);
            bytes -= slot.Bytes;
        }
    }

    /// <summary>
    /// The number of the first item after a position. There may be thousands, and every reader asks for every piece of news.
    /// </summary>
    private int FindAfter(long position)
    {
        var (low, high) = (0, _count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = At(middle).Position > position ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private ref Slot At(int index) => ref _slots[(_first + index) & (_slots.Length - 1)];

    private void Grow()
    {
        var larger = new Slot[BitOperations.RoundUpToPowerOf2((uint)_count + 1)];
        for (var index = 0; index < _count; index++)
        {
            larger[index] = At(index);
        }

        (_slots, _first) = (larger, 0);
    }

    private readonly record struct Slot(T Item, long Position, int Bytes);
}
