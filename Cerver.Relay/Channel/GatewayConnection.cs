using System.Net;
using System.Net.WebSockets;
using Microsoft.Extensions.Options;

namespace Cerver.Relay.Channel;

/// <summary>Keeps this machine connected to its gateway, and dials in again whenever the line is down.</summary>
internal sealed partial class GatewayConnection(
    GatewayApi api, RelaySandboxHost host, RelayRequests requests, IOptions<RelaySettings> settings, MachineName machine, TimeProvider time, IHostApplicationLifetime lifetime,
    ILogger<GatewayConnection> logger) : BackgroundService
{
    /// <summary>How often the gateway hears that this machine is there. A machine that has missed three is offline there.</summary>
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(15);

    /// <summary>A line that held so long was a good one.</summary>
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(30);

    /// <summary>How long a stop may take because the gateway has not heard of everything yet.</summary>
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(3);

    /// <summary>Why the gateway does not want this machine, or null. The program ends then.</summary>
    public string? Refused { get; private set; }

    /// <summary>Ends what runs here while the line holds, and then the line.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await host.LeaveAsync(Goodbye, cancellationToken);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await host.StartAsync(stoppingToken);
            await TryAsync(api.RegisterAsync, stoppingToken);
            LogRegistered(machine.ComputeId, settings.Value.Url!);

            // Either ends only when there is nothing left to try, and the other must not go on then.
            await await Task.WhenAny(BeatAsync(stoppingToken), DialAsync(stoppingToken));
        }
        catch (GatewayRefusedException refusal)
        {
            Refused = refusal.Message;
            lifetime.StopApplication();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // It was asked to stop.
        }
    }

    /// <summary>What a failure says, and the innermost one in it, which alone says why a line could not be secured.</summary>
    internal static string Explain(Exception failure) =>
        failure.GetBaseException().Message is var cause && failure.Message.Contains(cause, StringComparison.Ordinal) ? failure.Message : $"{failure.Message} {cause}";

    /// <summary>Does something until the gateway can be reached.</summary>
    private async Task TryAsync(Func<RelayCapabilities, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            try
            {
                await act(RelayCapabilities.Of(host.Describe()), cancellationToken);
                return;
            }
            catch (Exception failure) when (failure is HttpRequestException || (failure is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                LogUnreachable(settings.Value.Url!, Explain(failure));
                await PauseAsync(pause, cancellationToken);
            }
        }
    }

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(HeartbeatInterval, time);
        do
        {
            await TryAsync(api.BeatAsync, cancellationToken);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private async Task DialAsync(CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (true)
        {
            var began = time.GetTimestamp();
            var (why, hasProgressed) = await ServeAsync(cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            LogDown(why);
            pause = hasProgressed || time.GetElapsedTime(began) > Stable ? FirstPause : Longer(pause);
            await PauseAsync(pause, cancellationToken);
        }
    }

    private async Task<(string Why, bool HasProgressed)> ServeAsync(CancellationToken cancellationToken)
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {settings.Value.Token}");
        socket.Options.CollectHttpResponseDetails = true;
        try
        {
            await socket.ConnectAsync(AddressOf(settings.Value.Url!, machine.ComputeId), cancellationToken);
        }
        catch (WebSocketException failure)
        {
            return socket.HttpStatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound
                ? throw new GatewayRefusedException(
                    $"The gateway does not let this machine in ({(int)socket.HttpStatusCode}): its token is not valid any more, or somebody deleted the compute {machine.ComputeId}. Start the relay again to register it.")
                : (Explain(failure), false);
        }

        LogConnected(settings.Value.Url!);
        using var line = new ChannelLine(socket, host, requests, logger, cancellationToken);
        return (await line.ServeAsync(), line.HasProgressed);
    }

    private static Uri AddressOf(Uri gateway, string computeId) => new UriBuilder(gateway)
    {
        Scheme = gateway.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs,
        Path = "/v2/connect/ws",
        Query = $"compute_id={Uri.EscapeDataString(computeId)}",
    }.Uri;

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < MaxPause ? pause * 2 : MaxPause;

    /// <summary>The upper half of a pause is at random, so that machines that lost their gateway at once do not come back at once.</summary>
    private Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) => Task.Delay(pause * (0.5 + (Random.Shared.NextDouble() / 2)), time, cancellationToken);

    [LoggerMessage(Level = LogLevel.Information, Message = "This machine is {ComputeId} at {Gateway}")]
    private partial void LogRegistered(string computeId, Uri gateway);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to {Gateway}")]
    private partial void LogConnected(Uri gateway);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The line is down: {Why}")]
    private partial void LogDown(string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gateway at {Gateway} cannot be reached: {Why}")]
    private partial void LogUnreachable(Uri gateway, string why);
}
