using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Tests.Api;

/// <summary>Keeps what the front door says of a machine, and takes everything for right.</summary>
internal sealed class FakeMachine(string key) : IMachineGrain
{
    private ComputeInfo? _machine;

    /// <summary>The channel that it has.</summary>
    public string? ChannelId { get; private set; }

    /// <summary>The front door's end of it.</summary>
    public IMachineChannel? Channel { get; private set; }

    /// <summary>Whether the channel that it has is still its own.</summary>
    public bool IsTaken { get; set; } = true;

    /// <summary>How often its front door said that the channel is there.</summary>
    public int Renewals { get; private set; }

    /// <summary>How many answers its front door passed on.</summary>
    public int Answers { get; private set; }

    /// <summary>The channels that have ended.</summary>
    public ConcurrentQueue<string> Ended { get; } = new();

    public Task<ComputeInfo> RegisterAsync(RegisterMachine request, CancellationToken cancellationToken = default)
    {
        var (accountId, computeId) = MachineKey.Parse(key);
        _machine = new(
            computeId, request.Label ?? computeId, MachineKey.Provider, ComputeStatus.Ready, Reason: null, "private", request.Kind ?? "host", [SandboxRuntime.Shell], Network: true)
        {
            Machine = new(accountId, Examples.Noon, request.Capabilities, request.Metadata),
        };
        return Task.FromResult(_machine);
    }

    public Task<ComputeInfo> HeartbeatAsync(MachineHeartbeat heartbeat, CancellationToken cancellationToken = default) => Task.FromResult(Require());

    public Task<ComputeInfo?> DescribeAsync(CancellationToken cancellationToken = default) => Task.FromResult(_machine);

    public Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        Require();
        return Task.CompletedTask;
    }

    public Task<bool> ConnectAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default)
    {
        Require();
        (ChannelId, Channel) = (channelId, channel);
        return Task.FromResult(IsTaken);
    }

    public Task<bool> RenewAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default)
    {
        Renewals++;
        return Task.FromResult(IsTaken && channelId == ChannelId);
    }

    public Task DisconnectAsync(string channelId, CancellationToken cancellationToken = default)
    {
        Ended.Enqueue(channelId);
        return Task.CompletedTask;
    }

    public Task<MachineAnswer> RequestAsync(MachineRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException("For grains.");

    public Task AnswerAsync(string channelId, string requestId, MachineAnswer answer, CancellationToken cancellationToken = default)
    {
        Answers++;
        return Task.CompletedTask;
    }

    private ComputeInfo Require() => _machine ?? throw new CerverException(CerverError.NotFound, "There is no machine of this id.");
}
