using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Cerver.Api.Streams;

/// <summary>The tails that are read in this process. Each is there from its first reader to its last.</summary>
internal sealed class LiveTails<T>
{
    private readonly ConcurrentDictionary<string, LiveTail<T>> _tails = new(StringComparer.Ordinal);

    /// <summary>Items after a position: what is there, then what comes, each once and in order.</summary>
    /// <param name="key">What is followed; all who name the same share one tail.</param>
    /// <param name="open">Makes the source, when nobody follows it yet.</param>
    /// <param name="after">The position of the last item that the reader has, 0 for none.</param>
    /// <param name="cancellationToken">The reader goes away.</param>
    /// <returns>The items. They end when the source does.</returns>
    public async IAsyncEnumerable<T> ReadAsync(
        string key, Func<ITailSource<T>> open, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var tail = Join(key, open);
        try
        {
            await foreach (var item in tail.ReadAsync(after, cancellationToken))
            {
                yield return item;
            }
        }
        finally
        {
            await LeaveAsync(key, tail);
        }
    }

    private LiveTail<T> Join(string key, Func<ITailSource<T>> open)
    {
        while (true)
        {
            var tail = _tails.GetOrAdd(key, static (_, open) => new LiveTail<T>(open()), open);
            if (tail.TryJoin())
            {
                return tail;
            }

            // Its last reader has just left, or it is over; the next one starts anew.
            _tails.TryRemove(new(key, tail));
        }
    }

    private async Task LeaveAsync(string key, LiveTail<T> tail)
    {
        if (tail.Leave())
        {
            _tails.TryRemove(new(key, tail));
            await tail.DisposeAsync();
        }
    }
}
