using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using Cerver.Grains.Computes.Local;
using Cerver.Grains.Computes.Relays;
using Cerver.Relay;
using Cerver.Relay.Channel;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Relays;

/// <summary>What a relay reads from its gateway, over a real socket, while it is busy.</summary>
public sealed class ChannelLineTests
{
    private const string SandboxId = "sbx_0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task A_sandbox_that_is_not_wanted_any_more_and_cannot_be_closed_yet_holds_nothing_else_up_and_is_closed_then()
    {
        var opens = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var gateway = await Gateway.StartAsync(opens);
        var sandbox = await gateway.Relay.OpenAsync(new OpenRelaySandbox(SandboxId), CancellationToken.None);
        var opening = gateway.Relay.WhileNoneOpensAsync(() => opens.Task, CancellationToken.None);

        var over = new { type = "ack", sandbox_id = SandboxId, sequence = sandbox.Generation, is_over = true };
        await gateway.SendAsync(over);
        await gateway.SendAsync(over);
        await gateway.SendAsync(new { type = "request", request_id = "r", method = "GET", path = "/api/cerver/provider" });
        var answer = await gateway.NextAsync("response");
        await gateway.SendAsync(new { type = "ping" });
        await gateway.NextAsync("pong");
        var before = await gateway.Relay.ListAsync(CancellationToken.None);
        opens.SetResult(true);
        await opening;

        Assert.Equal(200, answer.GetProperty("status").GetInt32());
        Assert.Equal(("ready", sandbox.Generation), (Assert.Single(before).Status, before[0].Generation));
        await Waiting.UntilAsync(async () => await gateway.Relay.ListAsync(CancellationToken.None) is [{ Status: "closed" }]);
    }

    /// <summary>The gateway's end of the line, and in the same process what is at the other end.</summary>
    private sealed class Gateway : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

        private readonly string _data = Directory.CreateTempSubdirectory("cerver-relay-").FullName;
        private readonly CancellationTokenSource _end = new();
        private readonly TaskCompletionSource<bool> _held;
        private readonly LocalComputeProvider _provider;
        private readonly WebSocket _socket;
        private readonly WebSocket _other;
        private readonly ChannelLine _line;
        private Task _serving = Task.CompletedTask;

        private Gateway(TaskCompletionSource<bool> held, WebSocket socket, WebSocket other)
        {
            (_held, _socket, _other) = (held, socket, other);
            _provider = new LocalComputeProvider(Options.Create(new LocalComputeOptions()), _data, TimeProvider.System, NullLogger<LocalComputeProvider>.Instance);
            Relay = new RelaySandboxHost(_provider, Options.Create(new RelaySettings { Data = _data }), TimeProvider.System, NullLogger<RelaySandboxHost>.Instance);
            var requests = new RelayRequests(Relay, new RelayFiles(_provider, Relay, TimeProvider.System), NullLogger<RelayRequests>.Instance);
            _line = new ChannelLine(_other, Relay, requests, NullLogger.Instance, _end.Token);
        }

        /// <summary>What happens at the other end.</summary>
        public RelaySandboxHost Relay { get; }

        /// <summary>Connects the two.</summary>
        /// <param name="held">What the other end may wait for; not beyond the end of this.</param>
        public static async Task<Gateway> StartAsync(TaskCompletionSource<bool> held)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var other = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await other.ConnectAsync(listener.LocalEndpoint);
            var socket = await listener.AcceptSocketAsync();
            var gateway = new Gateway(held, SocketOf(socket, isServer: true), SocketOf(other, isServer: false));
            await gateway.Relay.StartAsync(CancellationToken.None);
            gateway._serving = gateway._line.ServeAsync();
            return gateway;
        }

        /// <summary>Sends a frame.</summary>
        public async Task SendAsync(object frame)
        {
            using var limit = new CancellationTokenSource(Patience);
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(frame), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
        }

        /// <summary>The next frame of a type.</summary>
        public async Task<JsonElement> NextAsync(string type)
        {
            using var limit = new CancellationTokenSource(Patience);
            using var text = new MemoryStream();
            var part = new byte[16 * 1024];
            while (true)
            {
                var read = await _socket.ReceiveAsync(part.AsMemory(), limit.Token);
                await text.WriteAsync(part.AsMemory(0, read.Count), limit.Token);
                if (!read.EndOfMessage)
                {
                    continue;
                }

                var frame = JsonElement.Parse(text.ToArray());
                if (frame.GetProperty("type").ValueEquals(type))
                {
                    return frame;
                }

                text.SetLength(0);
            }
        }

        public async ValueTask DisposeAsync()
        {
            _held.TrySetResult(true);
            await _end.CancelAsync();
            await _serving;
            _line.Dispose();
            _socket.Dispose();
            _other.Dispose();
            _end.Dispose();
            await Relay.DisposeAsync();
            await _provider.DisposeAsync();
            Directory.Delete(_data, recursive: true);
        }

        private static WebSocket SocketOf(Socket socket, bool isServer) =>
            WebSocket.CreateFromStream(new NetworkStream(socket, ownsSocket: true), new WebSocketCreationOptions { IsServer = isServer });
    }
}
