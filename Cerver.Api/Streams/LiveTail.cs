using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Cerver.Api.Streams;

/// <summary>What is followed in this process once, for all who read it: the newest items in memory, everything older in the rows.</summary>
/// <remarks>
/// However many read, the source is followed once. A reader may begin at any position and gets each item after it once and in order; one
/// that does not keep up falls out of what is in memory and reads the rows for itself. Items whose rows are gone are left out, so whoever
/// reads sees by the positions what is missing.
/// </remarks>
/// <param name="source">What is followed.</param>
internal sealed class LiveTail<T>(ITailSource<T> source) : IAsyncDisposable
{
    private const int RingBytes = 1024 * 1024;

    /// <summary>
    /// What a reader takes at once. It holds on to that for as long as its client is slow, so it is less than the whole ring.
    /// </summary>
    private const int TakeBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly TailRing<T> _ring = new(RingBytes);

    // These two are never disposed of: an event that was under way when the last reader left still comes to them, and without a wait handle
    // they hold nothing that needs to be freed.
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _fill = new(1, 1);

    private TaskCompletionSource _changed = NewSignal();
    private long _head;
    private bool _ended;
    private Exception? _failure;
    private int _readers;
    private Task _following = Task.CompletedTask;

    /// <summary>The last position that is known to be on disk.</summary>
    public long Head
    {
        get
        {
            lock (_gate)
            {
                return _head;
            }
        }
    }

    /// <summary>Counts a reader in. The first one starts the following.</summary>
    /// <returns>False when the last one has left already, or when there is nothing to follow any more.</returns>
    public bool TryJoin()
    {
        lock (_gate)
        {
            if (_readers < 0 || _ended || _failure is not null)
            {
                return false;
            }

            if (++_readers == 1)
            {
                _following = Task.Run(FollowAsync);
            }

            return true;
        }
    }

    /// <summary>Counts a reader out.</summary>
    /// <returns>Whether it was the last one; nobody can join from then on, and the tail is to be disposed of.</returns>
    public bool Leave()
    {
        lock (_gate)
        {
            if (--_readers > 0)
            {
                return false;
            }

            _readers = -1;
            return true;
        }
    }

    /// <summary>The items after a position until the end. Only for a reader that was counted in.</summary>
    public async IAsyncEnumerable<T> ReadAsync(long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var taken = new List<T>();
        while (true)
        {
            var (behind, ended, changed) = Take(after, taken);
            if (behind > after)
            {
                // What this reader needs is no longer in memory.
                await foreach (var item in source.ReadRowsAsync(after, upTo: behind, cancellationToken))
                {
                    yield return item;
                }

                after = behind;
                continue;
            }

            if (taken.Count > 0)
            {
                foreach (var item in taken)
                {
                    yield return item;
                }

                after = source.PositionOf(taken[^1]);
                taken.Clear();
                continue;
            }

            if (ended)
            {
                yield break;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Says how far the rows are when the following begins. What was written before is not kept in memory: who needs it reads the rows.
    /// </summary>
    public void Begin(long head)
    {
        SkipTo(head);
        Signal();
    }

    /// <summary>
    /// Takes what a live event brings, at consecutive positions. It may have come before, or too early: what is missing before it is read
    /// from the rows first.
    /// </summary>
    public async Task AddAsync(ImmutableArray<T> items)
    {
        if (items.IsEmpty || _stop.IsCancellationRequested)
        {
            return;
        }

        try
        {
            await FillAsync(source.PositionOf(items[0]) - 1);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The last reader left while it came.
            return;
        }

        foreach (var item in items)
        {
            Add(item);
        }

        Signal();
    }

    /// <summary>
    /// Reads from the rows what is missing up to a position that is on disk. What is not there either is gone, and passed over.
    /// </summary>
    public async Task FillAsync(long upTo)
    {
        var stopped = _stop.Token;
        await _fill.WaitAsync(stopped);
        try
        {
            var after = Head;
            if (after >= upTo)
            {
                return;
            }

            await foreach (var item in source.ReadRowsAsync(after, upTo, stopped))
            {
                SkipTo(source.PositionOf(item) - 1);
                Add(item);
                Signal();
            }

            SkipTo(upTo);
            Signal();
        }
        finally
        {
            _fill.Release();
        }
    }

    /// <summary>
    /// Says that nothing comes after the head. A source that still has to clean up says so first, because readers need not wait for that.
    /// </summary>
    public void End() => Signal(ended: true);

    /// <summary>Stops following.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Copies what is in memory after a position.</summary>
    /// <returns>
    /// Up to where the rows must be read first, or <paramref name="after"/>; whether this is the end; and what completes on news.
    /// </returns>
    private (long Behind, bool Ended, Task Changed) Take(long after, List<T> taken)
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                ExceptionDispatchInfo.Throw(_failure);
            }

            var first = _ring.First ?? _head + 1;
            if (after + 1 < first)
            {
                return (first - 1, _ended, _changed.Task);
            }

            _ring.CopyAfter(after, taken, TakeBytes);
            return (after, _ended, _changed.Task);
        }
    }

    /// <summary>
    /// Takes an item that follows the last. Any other is one that was here already, or one whose predecessors are missing.
    /// </summary>
    private void Add(T item)
    {
        var position = source.PositionOf(item);
        lock (_gate)
        {
            if (position != _head + 1)
            {
                return;
            }

            _head = position;
            _ring.Add(item, position, source.SizeOf(item));
        }
    }

    /// <summary>Goes on to a position without the items up to it.</summary>
    private void SkipTo(long position)
    {
        lock (_gate)
        {
            _head = Math.Max(_head, position);
        }
    }

    private void Signal(bool ended = false, Exception? failure = null)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            // Nothing is missing after the end, so a failure to clean up is nothing to those who read.
            _failure ??= _ended ? null : failure;
            _ended |= ended;
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    private async Task FollowAsync()
    {
        try
        {
            await source.FollowAsync(this, _stop.Token);
            End();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The last reader has left.
        }
        catch (Exception failure)
        {
            // Whatever it was, those who read must hear of it.
            Signal(failure: failure);
        }
    }
}
