using System.Globalization;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Cerver.Api.Computes.Machines;

/// <summary>The socket of one machine: what is sent waits in a bounded queue, what comes is passed on to the machine's grain, and silence ends it.</summary>
/// <param name="channelId">The channel, as the machine's grain knows it.</param>
/// <param name="computeId">The machine.</param>
/// <param name="machine">The machine's grain.</param>
/// <param name="accountId">The account that has it.</param>
/// <param name="access">How the machine reaches the gateway.</param>
/// <param name="cluster">The way to the grains of its sandboxes.</param>
/// <param name="calls">The way there.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class MachineSocket(
    string channelId, string computeId, IMachineGrain machine, string accountId, MachineAccess access, IClusterClient cluster, GrainCalls calls, TimeProvider time, ILogger logger)
    : IMachineChannel
{
    /// <summary>The largest frame in either direction. A machine breaks off the connection when it gets a larger one.</summary>
    public const int MaxFrameBytes = 1_048_576;

    /// <summary>Frames in a row that mean nothing, beyond which the machine is no relay.</summary>
    public const int MaxBadFrames = 10;

    private const int MaxQueuedFrames = 512;
    private const long MaxQueuedBytes = 8 * MaxFrameBytes;

    /// <summary>Every second one sends a ping.</summary>
    private static readonly TimeSpan UpkeepInterval = TimeSpan.FromSeconds(10);

    /// <summary>A machine that does not answer three pings is not there, whatever the network says.</summary>
    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RenewLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<QueuedFrame> _queue = MakeQueue(computeId);
    private long _queuedBytes;
    private long _heardAt = time.GetTimestamp();

    /// <summary>The channel.</summary>
    public string ChannelId => channelId;

    /// <inheritdoc/>
    public Task SendAsync(string requestId, MachineRequest request)
    {
        var frame = MachineFrames.Request(requestId, request, access);
        if (frame.Length > MaxFrameBytes)
        {
            throw new CerverException(
                CerverError.PayloadTooLarge,
                string.Create(CultureInfo.InvariantCulture, $"A request to a machine must have at most {MaxFrameBytes} bytes with everything around it; nothing was sent."));
        }

        if (!TryQueue(frame))
        {
            throw _ended.Task.IsCompleted
                ? new CerverException(CerverError.ComputeOffline, "The connection to the machine has ended; nothing was sent.")
                : new CerverException(CerverError.RateLimited, "The machine does not take what was sent to it before; nothing was sent. Try again later.");
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task EndAsync()
    {
        _ended.TrySetResult();
        return Task.CompletedTask;
    }

    /// <summary>Serves a connection until it ends.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="channel">What the machine's grain calls this by.</param>
    /// <param name="stopping">Breaks the connection off.</param>
    public async Task RunAsync(WebSocket socket, IMachineChannel channel, CancellationToken stopping)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Volatile.Write(ref _heardAt, time.GetTimestamp());
        var keeping = KeepAsync(channel, over.Token);
        var sending = SendQueuedAsync(socket, over.Token);
        var deliveries = new MachineDeliveries(accountId, computeId, cluster, calls, TryQueue);
        var agents = new AgentRelay(accountId, computeId, cluster, logger);
        await Task.WhenAll(
            EndAfterAsync(sending, over, onlyWhenItFails: true),
            EndAfterAsync(ReceiveAsync(socket, sending, deliveries, agents, over.Token), over),
            EndAfterAsync(agents.RunAsync(over.Token), over),
            EndAfterAsync(deliveries.Failed.WaitAsync(over.Token), over),
            EndAfterAsync(keeping, over),
            EndAfterAsync(_ended.Task.WaitAsync(over.Token), over));
        _ended.TrySetResult();
        socket.Abort();
    }

    private static Channel<QueuedFrame> MakeQueue(string computeId)
    {
        var queue = Channel.CreateBounded<QueuedFrame>(new BoundedChannelOptions(MaxQueuedFrames) { SingleReader = true });

        // Before anything that may be asked of the machine.
        queue.Writer.TryWrite(new(MachineFrames.Connected(computeId)));
        return queue;
    }

    private bool TryQueue(ReadOnlyMemory<byte> frame)
    {
        var queued = Interlocked.Add(ref _queuedBytes, frame.Length);
        if (queued <= MaxQueuedBytes && !_ended.Task.IsCompleted && _queue.Writer.TryWrite(new(frame, Counted: true)))
        {
            return true;
        }

        Interlocked.Add(ref _queuedBytes, -frame.Length);
        return false;
    }

    /// <summary>What ends one part of the work ends all of it. That the connection is gone is no failure.</summary>
    private async Task EndAfterAsync(Task work, CancellationTokenSource over, bool onlyWhenItFails = false)
    {
        var isDone = false;
        try
        {
            await work;
            isDone = true;
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            LogDeliveryFailed(failure, channelId, computeId);
        }
        catch (Exception gone) when (gone is OperationCanceledException or WebSocketException or IOException)
        {
            LogGone(gone, channelId, computeId);
        }
        finally
        {
            if (!isDone || !onlyWhenItFails)
            {
                await over.CancelAsync();
            }
        }
    }

    private async Task SendQueuedAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        await foreach (var frame in _queue.Reader.ReadAllAsync(cancellationToken))
        {
            if (frame.Status is { } status)
            {
                await socket.CloseOutputAsync(status, frame.Reason, cancellationToken);
                return;
            }

            await socket.SendAsync(frame.Text, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            if (frame.Counted)
            {
                Interlocked.Add(ref _queuedBytes, -frame.Text.Length);
            }
        }
    }

    private async Task ReceiveAsync(WebSocket socket, Task sending, MachineDeliveries deliveries, AgentRelay agents, CancellationToken cancellationToken)
    {
        for (var bad = 0; bad < MaxBadFrames;)
        {
            using var text = new PooledBuffer();
            var kind = await ReadAsync(socket, text, cancellationToken);
            Volatile.Write(ref _heardAt, time.GetTimestamp());
            if (kind == WebSocketMessageType.Close)
            {
                await CloseAsync(socket, sending, WebSocketCloseStatus.NormalClosure, "Goodbye.", cancellationToken);
                return;
            }

            if (text.Length > MaxFrameBytes)
            {
                LogTooLarge(channelId, computeId);
                await CloseAsync(socket, sending, WebSocketCloseStatus.MessageTooBig, "A frame has at most 1048576 bytes.", cancellationToken);
                return;
            }

            access.Hide(MemoryMarshal.AsMemory(text.Written).Span);
            if (kind == WebSocketMessageType.Text && MachineFrames.Read(text.Written) is { } frame)
            {
                bad = 0;
                await PassOnAsync(frame, deliveries, agents, cancellationToken);
            }
            else
            {
                bad++;
                LogMeaningless(channelId, computeId, bad);
            }
        }

        await CloseAsync(socket, sending, WebSocketCloseStatus.PolicyViolation, "A frame is text, one JSON object.", cancellationToken);
    }

    /// <summary>Reads a frame, or as much of it as shows that it is too large.</summary>
    private static async Task<WebSocketMessageType> ReadAsync(WebSocket socket, PooledBuffer text, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await socket.ReceiveAsync(text.GetMemory(), cancellationToken);
            text.Advance(read.Count);
            if (read.EndOfMessage || text.Length > MaxFrameBytes)
            {
                return read.MessageType;
            }
        }
    }

    /// <summary>Closes in order: the machine hears why, and gets some time to say that it has heard.</summary>
    private async Task CloseAsync(WebSocket socket, Task sending, WebSocketCloseStatus status, string reason, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(CloseLimit, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var dropped = new PooledBuffer();
        await _queue.Writer.WriteAsync(new(default, Counted: false, status, reason), end.Token);
        while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
        {
            await socket.ReceiveAsync(dropped.GetMemory(), end.Token);
        }

        // The machine has said goodbye; what is left is to have said so too.
        await sending.WaitAsync(end.Token);
    }

    private async Task PassOnAsync(MachineFrame frame, MachineDeliveries deliveries, AgentRelay agents, CancellationToken cancellationToken)
    {
        if (frame is { SandboxId: { } sandboxId, Event: { } what })
        {
            await deliveries.AddAsync(sandboxId, what, cancellationToken);
            return;
        }

        if (frame is { SessionId: { } sessionId, Told: { } told })
        {
            agents.Add(sessionId, told);
            return;
        }

        if (frame is not { RequestId: { } requestId, Answer: { } answer })
        {
            return;
        }

        try
        {
            await calls.ReadAsync(
                (machine, channelId, requestId, answer),
                static async (call, token) =>
                {
                    await call.machine.AnswerAsync(call.channelId, call.requestId, call.answer, token);
                    return call.requestId;
                },
                cancellationToken);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            // Whoever waits hears that no answer came.
            LogPassingFailed(failure, channelId, computeId);
        }
    }

    /// <summary>Asks the machine whether it is there, and tells its grain that the socket is.</summary>
    private async Task KeepAsync(IMachineChannel channel, CancellationToken cancellationToken)
    {
        using var upkeep = new PeriodicTimer(UpkeepInterval, time);
        for (var isPing = false; await upkeep.WaitForNextTickAsync(cancellationToken); isPing = !isPing)
        {
            if (time.GetElapsedTime(Volatile.Read(ref _heardAt)) >= MaxSilence)
            {
                LogSilent(channelId, computeId, MaxSilence);
                return;
            }

            if (isPing)
            {
                // A queue that is full has pings enough.
                TryQueue(MachineFrames.Ping);
            }

            if (!await RenewAsync(channel, cancellationToken))
            {
                LogReplaced(channelId, computeId);
                return;
            }
        }
    }

    /// <summary>A grain that cannot be told now will be told the next time.</summary>
    private async Task<bool> RenewAsync(IMachineChannel channel, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(RenewLimit, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await calls.ReadAsync(
                (machine, channelId, channel), static (call, token) => call.machine.RenewAsync(call.channelId, call.channel, token), end.Token);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LogRenewFailed(failure, channelId, computeId);
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The connection of channel {ChannelId} of machine {ComputeId} is gone")]
    private partial void LogGone(Exception gone, string channelId, string computeId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Closed channel {ChannelId} of machine {ComputeId}, which sent a frame that is too large")]
    private partial void LogTooLarge(string channelId, string computeId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Dropped a frame of channel {ChannelId} of machine {ComputeId} that means nothing, {Count} in a row")]
    private partial void LogMeaningless(string channelId, string computeId, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An answer on channel {ChannelId} of machine {ComputeId} could not be passed on")]
    private partial void LogPassingFailed(Exception failure, string channelId, string computeId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Broke off channel {ChannelId} of machine {ComputeId}: what it sent could not be passed on, and is sent again")]
    private partial void LogDeliveryFailed(Exception failure, string channelId, string computeId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Broke off channel {ChannelId} of machine {ComputeId}, which was silent for {Silence}")]
    private partial void LogSilent(string channelId, string computeId, TimeSpan silence);

    [LoggerMessage(Level = LogLevel.Information, Message = "Broke off channel {ChannelId} of machine {ComputeId}: the machine has another one, or is not registered any more")]
    private partial void LogReplaced(string channelId, string computeId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "That channel {ChannelId} of machine {ComputeId} is there could not be told and will be told again")]
    private partial void LogRenewFailed(Exception failure, string channelId, string computeId);

    /// <summary>What is to be sent.</summary>
    /// <param name="Text">The frame.</param>
    /// <param name="Counted">Whether its bytes count.</param>
    /// <param name="Status">The socket is to be closed with this, or null.</param>
    /// <param name="Reason">Why.</param>
    private readonly record struct QueuedFrame(
        ReadOnlyMemory<byte> Text, bool Counted = false, WebSocketCloseStatus? Status = null, string? Reason = null);
}
