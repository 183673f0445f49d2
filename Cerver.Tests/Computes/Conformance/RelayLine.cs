using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.WebSockets;
using Cerver.Api.Computes.Machines;
using Cerver.Api.Requests;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes.Machines;
using Cerver.Grains.Computes.Relays;
using Cerver.Grains.Secrets.Redaction;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>
/// The gateway's end of a real WebSocket, without grains: requests go to the relay as they come, events to the sandboxes that are followed, and what the relay says of its machine is
/// understood as the gateway does.
/// </summary>
internal sealed class RelayLine : IMachineGrain, IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, MachineSandbox> _sandboxes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<MachineAnswer>> _waiting = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _sending = new(1);
    private WebSocket? _socket;
    private DateTimeOffset? _connectedAt;
    private volatile MachineState? _machine;

    private RelayLine(WebApplication app) => _app = app;

    /// <summary>Where the relay dials in.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>Completes when it has.</summary>
    public Task Connected => _connected.Task;

    /// <summary>The id that the machine registered with.</summary>
    public string ComputeId { get; private set; } = "";

    public static async Task<RelayLine> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var line = new RelayLine(app);
        app.UseWebSockets();
        app.MapPost("/v2/computes/register", line.TakeRegistrationAsync);
        app.MapPost("/v2/computes/{computeId}/heartbeat", line.TakeHeartbeatAsync);
        app.Map("/v2/connect/ws", line.ServeAsync);
        await app.StartAsync();
        return line;
    }

    /// <summary>Takes what happens in a sandbox to it.</summary>
    public MachineSandbox Follow(string sandboxId, MachineSandbox sandbox) => _sandboxes[sandboxId] = sandbox;

    public async Task<MachineAnswer> RequestAsync(MachineRequest request, CancellationToken cancellationToken = default)
    {
        var requestId = Guid.NewGuid().ToString("n");
        var answered = _waiting[requestId] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_socket is not { State: WebSocketState.Open })
        {
            throw new CerverException(CerverError.ComputeOffline, "The relay has not dialled in.");
        }

        var frame = MachineFrames.Request(requestId, request, new("http://127.0.0.1", "none"));
        if (frame.Length > MachineSocket.MaxFrameBytes)
        {
            throw new CerverException(CerverError.PayloadTooLarge, "As the front door says it.");
        }

        await SendAsync(frame);
        return await answered.Task.WaitAsync(request.Deadline, cancellationToken);
    }

    public Task<ComputeInfo?> DescribeAsync(CancellationToken cancellationToken = default) => Task.FromResult(_machine is { } machine ? Describe(machine) : null);

    public Task<ComputeInfo> RegisterAsync(RegisterMachine request, CancellationToken cancellationToken = default) =>
        Task.FromResult(Describe(_machine = MachineRules.Apply(request, ComputeId, SecretMatcher.Empty, TimeProvider.System.GetUtcNow())));

    public Task<ComputeInfo> HeartbeatAsync(MachineHeartbeat heartbeat, CancellationToken cancellationToken = default) =>
        Task.FromResult(Describe(_machine = MachineRules.Apply(_machine!, heartbeat, SecretMatcher.Empty, TimeProvider.System.GetUtcNow())));

    public Task DeleteAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> ConnectAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> RenewAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task DisconnectAsync(string channelId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task AnswerAsync(string channelId, string requestId, MachineAnswer answer, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public async ValueTask DisposeAsync()
    {
        _socket?.Abort();
        await _app.DisposeAsync();
        _sending.Dispose();
    }

    private ComputeInfo Describe(MachineState machine) =>
        MachineRules.Describe(machine, "account", ComputeId, _connectedAt, machine.LastHeartbeatAt, TimeProvider.System.GetUtcNow());

    private async Task TakeRegistrationAsync(Body<RegisterMachineBody> body)
    {
        (ComputeId, var request) = body.Value.Read();
        await RegisterAsync(request);
    }

    private async Task TakeHeartbeatAsync(OptionalBody<HeartbeatBody> body) =>
        await HeartbeatAsync(new MachineHeartbeat(body.Value.Status, body.Value.Capabilities, body.Value.Metadata));

    private async Task ServeAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        (_socket, _connectedAt) = (socket, TimeProvider.System.GetUtcNow());
        _connected.TrySetResult();
        try
        {
            while (await ReadAsync(socket) is { } text)
            {
                if (MachineFrames.Read(text) is { } frame)
                {
                    await TakeAsync(frame);
                }
            }
        }
        catch (WebSocketException)
        {
            // The relay was killed.
        }
    }

    private static async Task<byte[]?> ReadAsync(WebSocket socket)
    {
        using var frame = new MemoryStream();
        var part = new byte[64 * 1024];
        while (true)
        {
            var read = await socket.ReceiveAsync(part.AsMemory(), CancellationToken.None);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            await frame.WriteAsync(part.AsMemory(0, read.Count));
            if (read.EndOfMessage)
            {
                return frame.ToArray();
            }
        }
    }

    private async Task TakeAsync(MachineFrame frame)
    {
        if (frame is { RequestId: { } requestId, Answer: { } answer })
        {
            _waiting[requestId].TrySetResult(answer);
        }
        else if (frame is { SandboxId: { } sandboxId, Event: { } what } && _sandboxes.TryGetValue(sandboxId, out var sandbox))
        {
            if (what.RunId is null)
            {
                if (what.Kind == SandboxEventKind.Closed)
                {
                    sandbox.Lose(what.Generation);
                }
            }
            else
            {
                // Not awaited: one run that is not read must not hold up the answers.
                _ = AcknowledgeAsync(sandboxId, sandbox, what);
            }
        }
    }

    private async Task AcknowledgeAsync(string sandboxId, MachineSandbox sandbox, SandboxEvent what) =>
        await SendAsync(MachineFrames.Acknowledgement(sandboxId, new SandboxReceipt(what.RunId, await sandbox.TakeAsync(what))));

    private async Task SendAsync(ReadOnlyMemory<byte> frame)
    {
        await _sending.WaitAsync();
        try
        {
            await _socket!.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
    }
}
