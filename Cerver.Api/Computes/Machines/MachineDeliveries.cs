using System.Threading.Channels;
using Cerver.Api.Calls;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Api.Computes.Machines;

/// <summary>
/// Passes on what happens in the sandboxes of one machine, each sandbox's in order, and has the machine hear what has arrived. A machine is told to wait by not being read any further.
/// </summary>
/// <param name="accountId">The account.</param>
/// <param name="computeId">The machine.</param>
/// <param name="cluster">The way to the sandboxes' grains.</param>
/// <param name="calls">How they are called.</param>
/// <param name="send">Sends a frame to the machine; says whether there was room for it.</param>
internal sealed class MachineDeliveries(string accountId, string computeId, IClusterClient cluster, GrainCalls calls, Func<ReadOnlyMemory<byte>, bool> send)
{
    /// <summary>Sandboxes of which something may be under way at once. Our relay opens no more.</summary>
    private const int MaxSandboxes = 4_096;

    /// <summary>Of one sandbox. Each has at most 64 KiB of output.</summary>
    private const int MaxQueuedEvents = 64;

    /// <summary>Of all of them.</summary>
    private const int MaxEvents = 256;

    private const int MaxEventsAtOnce = 16;

    private readonly Dictionary<string, SandboxQueue> _sandboxes = new(StringComparer.Ordinal);
    private readonly Channel<bool> _places = Channel.CreateBounded<bool>(MaxEvents);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Faults when something cannot be passed on. The machine sends it again on its next connection.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Takes an event. Waits while there are too many of its sandbox, or of all together. Call it for one after the other.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.RateLimited"/> when the connection speaks of too many sandboxes at once; it begins anew.</exception>
    public async ValueTask AddAsync(string sandboxId, SandboxEvent what, CancellationToken cancellationToken)
    {
        if (!_sandboxes.TryGetValue(sandboxId, out var queue))
        {
            MakeRoom();
            _sandboxes[sandboxId] = queue = new();
            _ = PassOnAsync(sandboxId, queue, cancellationToken);
        }

        await _places.Writer.WriteAsync(true, cancellationToken);
        queue.Add();
        await queue.Events.Writer.WriteAsync(what, cancellationToken);
    }

    /// <summary>Lets go of sandboxes of which nothing is under way, when there are as many as there may be.</summary>
    private void MakeRoom()
    {
        if (_sandboxes.Count < MaxSandboxes)
        {
            return;
        }

        foreach (var (sandboxId, queue) in _sandboxes.Where(static sandbox => sandbox.Value.IsIdle).ToList())
        {
            _sandboxes.Remove(sandboxId);
            queue.Events.Writer.Complete();
        }

        if (_sandboxes.Count >= MaxSandboxes)
        {
            throw new CerverException(CerverError.RateLimited, "The machine speaks of more sandboxes at once than one connection may.");
        }
    }

    private async Task PassOnAsync(string sandboxId, SandboxQueue queue, CancellationToken cancellationToken)
    {
        var sandbox = cluster.GetGrain<IComputeGrain>(SandboxKey.For(accountId, sandboxId));
        var some = ImmutableArray.CreateBuilder<SandboxEvent>();
        try
        {
            while (await queue.Events.Reader.WaitToReadAsync(cancellationToken))
            {
                while (some.Count < MaxEventsAtOnce && queue.Events.Reader.TryRead(out var what))
                {
                    some.Add(what);
                }

                var receipts = await calls.ReadAsync(
                    (sandbox, computeId, Events: some.ToImmutable()), static (call, token) => call.sandbox.DeliverAsync(call.computeId, call.Events, token), cancellationToken);
                foreach (var _ in some)
                {
                    _places.Reader.TryRead(out bool _);
                }

                var count = some.Count;
                some.Clear();
                foreach (var receipt in receipts)
                {
                    if (!send(MachineFrames.Acknowledgement(sandboxId, receipt)))
                    {
                        throw new CerverException(CerverError.RateLimited, "The machine does not take what is sent to it.");
                    }
                }

                queue.Remove(count);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The connection is gone. What did not arrive comes with the next one.
        }
#pragma warning disable CA1031 // Whatever it is ends the connection, which is where it is told.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failed.TrySetException(failure);
        }
    }

    /// <summary>What is under way of one sandbox.</summary>
    private sealed class SandboxQueue
    {
        private int _count;

        public Channel<SandboxEvent> Events { get; } = Channel.CreateBounded<SandboxEvent>(new BoundedChannelOptions(MaxQueuedEvents) { SingleReader = true });

        public bool IsIdle => Volatile.Read(ref _count) == 0;

        public void Add() => Interlocked.Increment(ref _count);

        public void Remove(int count) => Interlocked.Add(ref _count, -count);
    }
}
