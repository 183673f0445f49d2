using System.Net.WebSockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Channels;
using Cerver.Grains.Computes.Relays;

namespace Cerver.Relay.Channel;

/// <summary>One connection to the gateway, from its beginning to its end.</summary>
internal sealed partial class ChannelLine : IDisposable
{
    private const int MaxFrameBytes = 1024 * 1024;
    private const int MaxQueuedFrames = 64;
    private const int MaxRequestsAtOnce = 64;

    /// <summary>The gateway asks every 20 s whether this machine is there. When nothing comes for so long the line is dead, whatever the network says.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(70);

    /// <summary>
    /// Answers have characters as they are that need no escape in JSON. A <c>+</c>, which base64 has, would be six of them, and a part of a file that has many would not fit into
    /// a frame.
    /// </summary>
    private static readonly RelayJson Plain = new(new JsonSerializerOptions(RelayJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private readonly WebSocket _socket;
    private readonly RelaySandboxHost _host;
    private readonly RelayRequests _requests;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _down;
    private readonly SemaphoreSlim _atOnce = new(MaxRequestsAtOnce);
    private readonly Channel<byte[]> _queue = System.Threading.Channels.Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxQueuedFrames) { SingleReader = true });

    /// <summary>Takes a socket over.</summary>
    /// <param name="socket">The socket, which is open.</param>
    /// <param name="host">What happens on this machine.</param>
    /// <param name="requests">Carries out what is asked for.</param>
    /// <param name="logger">Where trouble is told.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public ChannelLine(WebSocket socket, RelaySandboxHost host, RelayRequests requests, ILogger logger, CancellationToken cancellationToken)
    {
        (_socket, _host, _requests, _logger) = (socket, host, requests, logger);
        _down = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Whether anything that was sent has arrived.</summary>
    public bool HasProgressed { get; private set; }

    /// <summary>Serves the gateway until the line is down.</summary>
    /// <returns>Why it is.</returns>
    public async Task<string> ServeAsync()
    {
        var sending = SendAsync();
        var receiving = ReceiveAsync();
        _host.Connect(SendEventAsync, _down.Token);
        var why = await await Task.WhenAny(sending, receiving);
        await _down.CancelAsync();
        _socket.Abort();
        await Task.WhenAll(sending, receiving);
        await _requests.EndAsync();
        return why;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _down.Dispose();
        _atOnce.Dispose();
    }

    private Task SendEventAsync(string sessionId, RelayEvent what, CancellationToken cancellationToken) => QueueAsync(
        JsonSerializer.SerializeToUtf8Bytes(new RelayEventFrame("stream_event", sessionId, what), RelayJson.Default.RelayEventFrame), cancellationToken);

    private async Task QueueAsync(byte[] frame, CancellationToken cancellationToken) => await _queue.Writer.WriteAsync(frame, cancellationToken);

    private async Task<string> SendAsync()
    {
        try
        {
            await foreach (var frame in _queue.Reader.ReadAllAsync(_down.Token))
            {
                await _socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, _down.Token);
            }

            return "Nothing is sent any more.";
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            return GatewayConnection.Explain(failure);
        }
    }

    private async Task<string> ReceiveAsync()
    {
        var frame = new MemoryStream();
        var part = new byte[16 * 1024];
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(_down.Token);
        try
        {
            while (true)
            {
                silence.CancelAfter(Patience);
                var received = await _socket.ReceiveAsync(part.AsMemory(), silence.Token);

                // The time that it takes to do what came is no silence of the gateway.
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    return $"The gateway closed it ({(int?)_socket.CloseStatus} {_socket.CloseStatusDescription}).";
                }

                await frame.WriteAsync(part.AsMemory(0, received.Count), _down.Token);
                if (frame.Length > MaxFrameBytes)
                {
                    return "The gateway sent a frame of more than 1 MiB.";
                }

                if (received.EndOfMessage)
                {
                    await TakeAsync(frame.ToArray());
                    frame.SetLength(0);
                }
            }
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            return _down.IsCancellationRequested || !silence.IsCancellationRequested ? GatewayConnection.Explain(failure) : "Nothing came from the gateway for more than a minute.";
        }
    }

    /// <summary>What a socket says that is broken off, by whichever side and in the middle of whatever.</summary>
    private static bool IsEnd(Exception failure) => failure is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException;

    private async Task TakeAsync(byte[] text)
    {
        RelayFrame? frame;
        try
        {
            frame = JsonSerializer.Deserialize(text, RelayJson.Default.RelayFrame);
        }
        catch (JsonException failure)
        {
            LogUnreadable(failure);
            return;
        }

        switch (frame)
        {
            case { Type: "ping" }:
                await QueueAsync("""{"type":"pong"}"""u8.ToArray(), _down.Token);
                break;
            case { Type: "request", RequestId: not null }:
                await _atOnce.WaitAsync(_down.Token);
                _ = AnswerAsync(frame);
                break;
            case { Type: RelayWords.Acknowledgement, SandboxId: { } sandboxId }:
                HasProgressed = true;
                _host.Acknowledge(sandboxId, frame.RunId, frame.Sequence, frame.IsOver);
                break;
            default:
                // Also from a later version, which says something that need not be understood.
                break;
        }
    }

    private async Task AnswerAsync(RelayFrame request)
    {
        try
        {
            var answer = await _requests.AnswerAsync(request, _down.Token);
            await QueueAsync(JsonSerializer.SerializeToUtf8Bytes(answer, Plain.RelayResponse), _down.Token);
        }
        catch (OperationCanceledException)
        {
            // The line is down, and with it whoever asked.
        }
        finally
        {
            _atOnce.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gateway sent something that is no JSON object")]
    private partial void LogUnreadable(Exception failure);
}
