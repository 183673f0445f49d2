using System.Collections.Immutable;
using Cerver.Api.Runs;
using Cerver.Runs;
using Cerver.Tests.Api;

namespace Cerver.Tests.Runs;

/// <summary>
/// A run with its rows and its events, of which nothing happens unless a test makes it happen: events wait until they are delivered or
/// lost.
/// </summary>
/// <param name="pageRows">How many rows one reading gives.</param>
internal sealed class RunWorld(int pageRows) : IRunSource
{
    /// <summary>Four of these are more than a process keeps of a run in memory.</summary>
    private static readonly byte[] Large = new byte[300 * 1024];

    private static readonly byte[] Small = new byte[10];

    private readonly Lock _gate = new();
    private readonly List<RunChunk> _rows = [];
    private readonly List<RunOutput> _events = [];
    private readonly List<Func<RunOutput, Task>> _subscribers = [];
    private readonly List<Task> _deliveries = [];
    private List<TaskCompletionSource> _waits = [];
    private long _head;
    private int _refusals;
    private bool _closed;
    private Exception? _failure;

    /// <summary>The run as it would be looked up now.</summary>
    public RunRecord Record
    {
        get
        {
            lock (_gate)
            {
                return _closed ? Examples.Run with { Status = RunStatus.Exited, ExitCode = 0, OutputHead = _head } : Examples.Run;
            }
        }
    }

    /// <summary>The sequence number of the last chunk that was written.</summary>
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

    /// <summary>How often somebody subscribed.</summary>
    public int Subscriptions { get; private set; }

    /// <summary>Every row after a sequence number.</summary>
    public IReadOnlyList<RunChunk> RowsAfter(long sequence)
    {
        lock (_gate)
        {
            return [.. _rows.Where(row => row.Sequence > sequence)];
        }
    }

    /// <summary>Puts chunks on disk and their event on its way.</summary>
    public void Write(int count, bool large)
    {
        lock (_gate)
        {
            var chunks = Enumerable.Range(0, count).Select(_ => new RunChunk(++_head, OutputKind.Stdout, large ? Large : Small)).ToImmutableArray();
            _rows.AddRange(chunks);
            _events.Add(new RunOutput(Examples.Run.RunId, chunks));
        }
    }

    /// <summary>Lets sequence numbers pass whose rows are gone.</summary>
    public void Purge(int count)
    {
        lock (_gate)
        {
            _head += count;
        }
    }

    /// <summary>Puts one more event on its way, with other cuts than those before.</summary>
    public void Publish(int from, int count)
    {
        lock (_gate)
        {
            if (_rows.Count > 0)
            {
                // Chunks of an event have consecutive numbers, so it ends before a hole.
                var first = from % _rows.Count;
                var chunks = _rows.Skip(first).Take(count).TakeWhile((row, index) => row.Sequence == _rows[first].Sequence + index);
                _events.Add(new RunOutput(Examples.Run.RunId, [.. chunks]));
            }
        }
    }

    /// <summary>Brings an event to whoever listens. Later ones may have come before it, and it may come again.</summary>
    public void Deliver(int index, bool again)
    {
        lock (_gate)
        {
            if (_events.Count > 0)
            {
                Bring(_events[index % _events.Count]);
                if (!again)
                {
                    _events.RemoveAt(index % _events.Count);
                }
            }
        }
    }

    /// <summary>Brings an event of another run on the same stream.</summary>
    public void DeliverForeign(int count)
    {
        lock (_gate)
        {
            Bring(new RunOutput(
                "run_01980000000070008000000000000099",
                [.. Enumerable.Range(1, count).Select(number => new RunChunk(_head + number, OutputKind.Stderr, Small))]));
        }
    }

    /// <summary>Loses an event.</summary>
    public void Lose(int index)
    {
        lock (_gate)
        {
            if (_events.Count > 0)
            {
                _events.RemoveAt(index % _events.Count);
            }
        }
    }

    /// <summary>The sandbox has said nothing for a second, and says how far it is.</summary>
    public void Answer()
    {
        List<TaskCompletionSource> answered;
        lock (_gate)
        {
            (answered, _waits) = (_waits, []);
        }

        answered.ForEach(static wait => wait.TrySetResult());
    }

    /// <summary>Nobody can subscribe so many times.</summary>
    public void RefuseSubscriptions(int count)
    {
        lock (_gate)
        {
            _refusals = count;
        }
    }

    /// <summary>The run is over.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }

        Answer();
    }

    /// <summary>The sandbox cannot be asked any more.</summary>
    public void Fail(Exception failure)
    {
        lock (_gate)
        {
            _failure = failure;
        }

        Answer();
    }

    /// <summary>Completes when whoever got an event has done with it.</summary>
    public Task DeliveredAsync()
    {
        lock (_gate)
        {
            return Task.WhenAll(_deliveries);
        }
    }

    public Task<RunRecord> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) => Task.FromResult(Record);

    public async Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, RunRecord run, long after, CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        return [.. RowsAfter(after).Take(pageRows)];
    }

    public async Task<RunHead> WaitAsync(string accountId, RunRecord run, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (atMost == TimeSpan.Zero || _closed || _failure is not null)
            {
                wait.SetResult();
            }
            else
            {
                _waits.Add(wait);
            }
        }

        await wait.Task.WaitAsync(cancellationToken);
        lock (_gate)
        {
            return _failure is null ? new RunHead(_head, _closed) : throw _failure;
        }
    }

    public async Task<IAsyncDisposable?> SubscribeAsync(RunRecord run, Func<RunOutput, Task> receive)
    {
        await Task.Yield();
        lock (_gate)
        {
            if (_refusals-- > 0)
            {
                return null;
            }

            Subscriptions++;
            _subscribers.Add(receive);
        }

        return new Subscription(this, receive);
    }

    private void Bring(RunOutput output)
    {
        foreach (var receive in _subscribers.ToList())
        {
            _deliveries.Add(Task.Run(() => receive(output)));
        }
    }

    private sealed class Subscription(RunWorld world, Func<RunOutput, Task> receive) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            lock (world._gate)
            {
                world._subscribers.Remove(receive);
            }

            return ValueTask.CompletedTask;
        }
    }
}
