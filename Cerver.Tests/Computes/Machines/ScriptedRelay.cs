using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Cerver.Tests.Computes.Machines;

/// <summary>The program on a machine that dials in, as a test wants it: it says nothing by itself.</summary>
internal sealed class ScriptedRelay : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ClientWebSocket _socket;

    private ScriptedRelay(ClientWebSocket socket, string computeId) => (_socket, ComputeId) = (socket, computeId);

    /// <summary>The machine that it dialled in as.</summary>
    public string ComputeId { get; }

    public WebSocketState State => _socket.State;

    /// <summary>Dials in as a machine, with the token in the query or in the header.</summary>
    /// <exception cref="WebSocketException">The gateway refuses it.</exception>
    public static async Task<ScriptedRelay> DialAsync(Uri gateway, string computeId, string token, bool isInHeader = false)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (isInHeader)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        var query = isInHeader ? "" : $"&token={Uri.EscapeDataString(token)}";
        using var limit = new CancellationTokenSource(Patience);
        await socket.ConnectAsync(new Uri($"ws://{gateway.Authority}/v2/connect/ws?compute_id={Uri.EscapeDataString(computeId)}{query}"), limit.Token);
        return new ScriptedRelay(socket, computeId);
    }

    /// <summary>Dials in, and has heard that it is connected.</summary>
    public static async Task<ScriptedRelay> ConnectAsync(Uri gateway, string computeId, string token)
    {
        var relay = await DialAsync(gateway, computeId, token);
        Assert.Equal($$"""{"type":"connected","compute_id":"{{computeId}}"}""", (await relay.NextAsync()).GetRawText());
        return relay;
    }

    /// <summary>The next frame.</summary>
    public async Task<JsonElement> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        using var text = new MemoryStream();
        var buffer = new byte[16_384];
        while (true)
        {
            var read = await _socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            Assert.Equal(WebSocketMessageType.Text, read.MessageType);
            await text.WriteAsync(buffer.AsMemory(0, read.Count), limit.Token);
            if (read.EndOfMessage)
            {
                return JsonElement.Parse(text.ToArray());
            }
        }
    }

    /// <summary>Sends a frame.</summary>
    public Task SendAsync(object frame) => SendAsync(JsonSerializer.Serialize(frame));

    /// <summary>Sends a text as a frame, whatever it is.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public async Task SendAsync(byte[] bytes, WebSocketMessageType type)
    {
        using var limit = new CancellationTokenSource(Patience);
        await _socket.SendAsync(bytes, type, endOfMessage: true, limit.Token);
    }

    /// <summary>Answers a request.</summary>
    public Task AnswerAsync(JsonElement request, object? body, int status = 200) =>
        SendAsync(new { type = "response", request_id = request.GetProperty("request_id").GetString(), status, headers = new { }, body });

    /// <summary>Reads until the connection is over.</summary>
    /// <returns>What it was closed with, or null when it was broken off.</returns>
    public async Task<WebSocketCloseStatus?> EndedAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        var buffer = new byte[16_384];
        try
        {
            while (_socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                await _socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            }
        }
        catch (WebSocketException)
        {
            return null;
        }

        if (_socket.State == WebSocketState.CloseReceived)
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, limit.Token);
        }

        return _socket.CloseStatus;
    }

    /// <summary>Says goodbye, and waits until the gateway has too.</summary>
    public async Task CloseAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, limit.Token);
    }

    /// <summary>Is gone without a word.</summary>
    public void Vanish() => _socket.Abort();

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
