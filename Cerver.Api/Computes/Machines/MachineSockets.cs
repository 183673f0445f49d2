using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Api.Errors;
using Cerver.Api.Pages;
using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Cerver.Api.Computes.Machines;

/// <summary>The sockets of machines that have dialled in to this process.</summary>
/// <remarks>
/// A machine comes back at once after a close in order, so whatever there is no room for is refused before it is a socket, and when the process stops connections are
/// broken off.
/// </remarks>
internal sealed partial class MachineSockets(
    IClusterClient cluster, GrainCalls calls, IOptions<ApiOptions> options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<MachineSockets> logger)
{
    /// <summary>How long it is tried to tell a machine's grain that its socket has ended. It finds out by itself some seconds later.</summary>
    private static readonly TimeSpan DisconnectLimit = TimeSpan.FromSeconds(5);

    private int _count;

    /// <summary>Takes a machine's socket and serves it until it ends; or refuses the request while it is none yet.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when the account has no such machine.</exception>
    public async Task ServeAsync(HttpContext context, IMachineGrain machine, string accountId, string computeId)
    {
        var isTaken = Interlocked.Increment(ref _count) <= options.Value.MaxMachines && !lifetime.ApplicationStopping.IsCancellationRequested;
        try
        {
            if (!isTaken || !await ServeTakenAsync(context, machine, accountId, computeId))
            {
                await Refusals.WriteAsync(context, Refusals.Unavailable);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>Serves a socket that there is room for.</summary>
    /// <returns>Whether there was a socket. If not, the machine has dialled another one meanwhile.</returns>
    private async Task<bool> ServeTakenAsync(HttpContext context, IMachineGrain machine, string accountId, string computeId)
    {
        var socket = new MachineSocket(Ids.NewChannel(time), computeId, machine, accountId, AccessOf(context.Request), cluster, calls, time, logger);
        var channel = cluster.CreateObjectReference<IMachineChannel>(socket);
        try
        {
            if (!await calls.WriteAgainAsync((machine, socket.ChannelId, channel), static call => call.machine.ConnectAsync(call.ChannelId, call.channel)))
            {
                return false;
            }

            using var connection = await context.WebSockets.AcceptWebSocketAsync();
            await socket.RunAsync(connection, channel, lifetime.ApplicationStopping);
            return true;
        }
        finally
        {
            await DisconnectAsync(machine, socket.ChannelId, computeId);
            cluster.DeleteObjectReference<IMachineChannel>(channel);
        }
    }

    private MachineAccess AccessOf(HttpRequest request) => new(PageAddress.Of(request, options.Value.TrustProxy), BearerAuthentication.TokenOf(request)!);

    private async Task DisconnectAsync(IMachineGrain machine, string channelId, string computeId)
    {
        using var limit = new CancellationTokenSource(DisconnectLimit, time);
        try
        {
            await calls.ReadAsync(
                (machine, channelId),
                static async (call, token) =>
                {
                    await call.machine.DisconnectAsync(call.channelId, token);
                    return call.channelId;
                },
                limit.Token);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException or OperationCanceledException)
        {
            LogDisconnectFailed(failure, channelId, computeId);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "That channel {ChannelId} of machine {ComputeId} has ended could not be told; it is found out within a minute")]
    private partial void LogDisconnectFailed(Exception failure, string channelId, string computeId);
}
