using System.Runtime.CompilerServices;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Cerver.Api.Runs;

/// <summary>One run that is watched in this process: its newest chunks in memory, for all watchers together.</summary>
/// <remarks>
/// The Orleans stream makes it fast, the rows make it true: silence is never believed. While the run is open the sandbox is asked, again and
/// again, how far it is; what the stream did not bring is read from the rows.
/// </remarks>
internal sealed partial class RunWatch : IAsyncDisposable
{
    private const int RingBytes = 1024 * 1024;

    /// <summary>How long silence is believed while the run is open.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly IClusterClient _cluster;
    private readonly string _accountId;
    private readonly RunRecord _run;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Queue<RunChunk> _ring = new();
    private readonly SemaphoreSlim _fill = new(1, 1);
    private TaskCompletionSource _changed = NewSignal();
    private int _ringBytes;
    private long _head;
    private bool _ended;
    private Exception? _failure;
    private int _watchers;
    private Task _pump = Task.CompletedTask;

    /// <summary>Makes ready to follow a run that is going on. The first watcher starts it.</summary>
    public RunWatch(IClusterClient cluster, string accountId, RunRecord run, ILogger logger)
    {
        _cluster = cluster;
        _accountId = accountId;
        _run = run;
        _logger = logger;
    }

    /// <summary>Counts a watcher in.</summary>
    /// <returns>False when the last one has left already, or when there is nothing to follow any more.</returns>
    public bool TryJoin()
    {
        lock (_gate)
        {
            if (_watchers < 0 || _ended || _failure is not null)
            {
                return false;
            }

            if (++_watchers == 1)
            {
                _pump = Task.Run(PumpAsync);
            }

            return true;
        }
    }

    /// <summary>Counts a watcher out.</summary>
    /// <returns>Whether it was the last one; nobody can join from then on.</returns>
    public bool Leave()
    {
        lock (_gate)
        {
            if (--_watchers > 0)
            {
                return false;
            }

            _watchers = -1;
            return true;
        }
    }

    /// <summary>The chunks after a sequence number until the run is over.</summary>
    public async IAsyncEnumerable<RunChunk> ReadAsync(long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var taken = new List<RunChunk>();
        while (true)
        {
            var (behind, ended, changed) = Take(after, taken);
            if (behind > after)
            {
                // What this watcher needs is no longer in memory.
                await foreach (var chunk in RunRows.ReadAsync(_cluster, _accountId, _run, after, upTo: behind, cancellationToken))
                {
                    yield return chunk;
                }

                after = behind;
                continue;
            }

            if (taken.Count > 0)
            {
                foreach (var chunk in taken)
                {
                    yield return chunk;
                }

                after = taken[^1].Sequence;
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

    /// <summary>Stops to follow the run.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _pump;
        _stop.Dispose();
        _fill.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Copies what is in memory after a sequence number.</summary>
    /// <returns>Up to where the rows must be read first, or <paramref name="after"/>; whether the run is over; and what completes on news.</returns>
    private (long Behind, bool Ended, Task Changed) Take(long after, List<RunChunk> taken)
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                throw _failure;
            }

            var first = _ring.TryPeek(out var oldest) ? oldest.Sequence : _head + 1;
            if (after + 1 < first)
            {
                return (first - 1, _ended, _changed.Task);
            }

            foreach (var chunk in _ring)
            {
                if (chunk.Sequence > after)
                {
                    taken.Add(chunk);
                }
            }

            return (after, _ended, _changed.Task);
        }
    }

    /// <summary>What was written before this watch began is not kept in memory: who needs it reads the rows.</summary>
    private void Begin(long head)
    {
        lock (_gate)
        {
            _head = head;
        }

        Signal();
    }

    private void Add(RunChunk chunk)
    {
        lock (_gate)
        {
            if (chunk.Sequence != _head + 1)
            {
                return;
            }

            _head = chunk.Sequence;
            _ring.Enqueue(chunk);
            _ringBytes += SizeOf(chunk);
            while (_ringBytes > RingBytes)
            {
                _ringBytes -= SizeOf(_ring.Dequeue());
            }
        }
    }

    /// <summary>What a chunk takes in memory: many small ones count too.</summary>
    private static int SizeOf(RunChunk chunk) => chunk.Data.Length + 128;

    private void Signal(bool ended = false, Exception? failure = null)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _ended |= ended;
            _failure ??= failure;
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    /// <summary>Follows the run: the stream as it comes, and the sandbox's own word on how far it is.</summary>
    private async Task PumpAsync()
    {
        StreamSubscriptionHandle<RunOutput>? subscription = null;
        try
        {
            var sandbox = _cluster.GetGrain<IComputeGrain>(SandboxKey.For(_accountId, _run.SandboxId));
            var progress = await sandbox.WaitAsync(_run.RunId, TimeSpan.Zero, _stop.Token);
            Begin(progress.Head);
            if (!progress.Closed)
            {
                subscription = await _cluster.GetStreamProvider(RunStreams.Provider)
                    .GetStream<RunOutput>(RunStreams.For(_run.RunId))
                    .SubscribeAsync((output, _) => ReceiveAsync(output));
            }

            while (!progress.Closed)
            {
                progress = await sandbox.WaitAsync(_run.RunId, Silence, _stop.Token);
                await FillAsync(progress.Head);
            }

            Signal(ended: true);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The last watcher has left.
        }
        catch (Exception failure)
        {
            // Whatever it was, those who watch must hear of it.
            Signal(failure: failure);
        }
        finally
        {
            if (subscription is not null)
            {
                await UnsubscribeAsync(subscription);
            }
        }
    }

    private async Task ReceiveAsync(RunOutput output)
    {
        if (output.RunId != _run.RunId || _stop.IsCancellationRequested)
        {
            return;
        }

        await FillAsync(output.Chunks[0].Sequence - 1);
        foreach (var chunk in output.Chunks)
        {
            Add(chunk);
        }

        Signal();
    }

    /// <summary>Reads from the rows what is missing up to a sequence number.</summary>
    private async Task FillAsync(long upTo)
    {
        await _fill.WaitAsync(_stop.Token);
        try
        {
            var after = Head();
            if (after >= upTo)
            {
                return;
            }

            await foreach (var chunk in RunRows.ReadAsync(_cluster, _accountId, _run, after, upTo, _stop.Token))
            {
                Add(chunk);
                Signal();
            }
        }
        finally
        {
            _fill.Release();
        }
    }

    private long Head()
    {
        lock (_gate)
        {
            return _head;
        }
    }

    private async Task UnsubscribeAsync(StreamSubscriptionHandle<RunOutput> subscription)
    {
        try
        {
            await subscription.UnsubscribeAsync();
        }
        catch (Exception failure) when (failure is OrleansException or TimeoutException)
        {
            LogUnsubscribeFailed(failure, _run.RunId);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The subscription to run {RunId} was left behind")]
    private partial void LogUnsubscribeFailed(Exception failure, string runId);
}
