using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Secrets.Redaction;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Cerver.Grains.Computes.Machines;

/// <inheritdoc cref="IMachineGrain"/>
[GrainType("machine")]
internal sealed partial class MachineGrain(
    [PersistentState("machine", ComputeGrain.StorageName)] IPersistentState<MachineState> state,
    TaintRegistry registry,
    MachineDrain drain,
    TimeProvider time,
    ILogger<MachineGrain> logger) : Grain, IMachineGrain
{
    /// <summary>How often it is looked whether the front door that has the channel is still there.</summary>
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(10);

    private readonly MachineLine _line = new(time);
    private string _accountId = "";
    private string _computeId = "";
    private DateTimeOffset _heardAt;
    private MachineRequests? _requests;
    private IGrainTimer? _watch;
    private bool _isInDoubt;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_accountId, _computeId) = MachineKey.Parse(this.GetPrimaryKeyString());
        _heardAt = state.State.LastHeartbeatAt;
        _requests = new(_computeId, drain, Lose, time, logger);
        return Task.CompletedTask;
    }

    /// <summary>Whoever waits for an answer hears that it does not come here; the front door finds the next activation.</summary>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Fail(_line.Drop());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<ComputeInfo> RegisterAsync(RegisterMachine request, CancellationToken cancellationToken)
    {
        var isNew = !state.RecordExists;
        var machine = MachineRules.Apply(request, _computeId, await MatcherAsync(), time.GetUtcNow());

        // In the list first: one that is there and not registered is skipped, and one that is registered and not there would never be found.
        await Machines().AddAsync(_computeId, CancellationToken.None);
        await StoreAsync(machine);
        if (isNew)
        {
            LogRegistered(_computeId, _accountId);
        }

        return Describe();
    }

    /// <inheritdoc/>
    public async Task<ComputeInfo> HeartbeatAsync(MachineHeartbeat heartbeat, CancellationToken cancellationToken)
    {
        RequireRegistered();

        // Before anything that can fail: the machine is there also when that cannot be written down.
        _heardAt = time.GetUtcNow();
        await StoreAsync(MachineRules.Apply(state.State, heartbeat, await MatcherAsync(), _heardAt));
        return Describe();
    }

    /// <inheritdoc/>
    public Task<ComputeInfo?> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult(state.RecordExists ? Describe() : null);

    /// <inheritdoc/>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        var wasRegistered = state.RecordExists;
        if (wasRegistered)
        {
            await WriteAsync(() => state.ClearStateAsync(CancellationToken.None));
            EndCurrent();
            LogDeleted(_computeId, _accountId);
        }

        if (!await Machines().RemoveAsync(_computeId, CancellationToken.None) && !wasRegistered)
        {
            throw NotRegistered();
        }
    }

    /// <inheritdoc/>
    public Task<bool> ConnectAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken)
    {
        RequireRegistered();
        return Task.FromResult(Take(channelId, _line.Dial(channelId, channel)));
    }

    /// <inheritdoc/>
    public Task<bool> RenewAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken) =>
        Task.FromResult(state.RecordExists && Take(channelId, _line.Renew(channelId, channel)));

    /// <inheritdoc/>
    public Task DisconnectAsync(string channelId, CancellationToken cancellationToken)
    {
        Fail(_line.End(channelId));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<MachineAnswer> RequestAsync(MachineRequest request, CancellationToken cancellationToken)
    {
        RequireRegistered();
        var machine = Describe();
        return machine.Status == ComputeStatus.Ready && _line.Current is { } channel
            ? _requests!.MakeAsync(channel, request, cancellationToken)
            : throw new CerverException(CerverError.ComputeOffline, $"Nothing was sent to the machine '{machine.Label}'. {machine.Reason}");
    }

    /// <inheritdoc/>
    public Task AnswerAsync(string channelId, string requestId, MachineAnswer answer, CancellationToken cancellationToken)
    {
        _requests!.Answer(channelId, requestId, answer);
        return Task.CompletedTask;
    }

    private static CerverException NotRegistered() =>
        new(CerverError.NotFound, "There is no machine of this id in the account. Register it with POST /v2/computes/register.");

    private void RequireRegistered()
    {
        if (!state.RecordExists)
        {
            throw NotRegistered();
        }
    }

    private IAccountMachinesGrain Machines() => GrainFactory.GetGrain<IAccountMachinesGrain>(AccountMachinesKey.For(_accountId));

    /// <summary>What machines say is written for their account, so nothing that it was given may be in it.</summary>
    private async Task<SecretMatcher> MatcherAsync() => (await registry.OfAsync(_accountId)).Matcher;

    private ComputeInfo Describe()
    {
        DropIfSilent();
        return MachineRules.Describe(state.State, _accountId, _computeId, _line.Current?.Since, _heardAt, time.GetUtcNow());
    }

    private bool Take(string channelId, TakenChannel taken)
    {
        if (taken.Replaced is { } replaced)
        {
            replaced.End.EndAsync().Ignore();
            Fail(replaced);
        }

        if (taken.IsNew)
        {
            LogConnected(_computeId, channelId);
            _watch ??= this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(WatchInterval, WatchInterval) { Interleave = true });
        }

        return taken.IsTaken;
    }

    /// <summary>A front door that died does not say so, and whoever waits for an answer is to hear it.</summary>
    private Task WatchAsync(CancellationToken cancellationToken)
    {
        DropIfSilent();
        return Task.CompletedTask;
    }

    private void DropIfSilent()
    {
        if (_line.IsSilent)
        {
            Fail(_line.Drop());
        }
    }

    private void Lose(MachineChannel channel)
    {
        if (_line.Current == channel)
        {
            Fail(_line.Drop());
        }
    }

    private void EndCurrent()
    {
        if (_line.Current is { } channel)
        {
            channel.End.EndAsync().Ignore();
            Fail(_line.End(channel.Id));
        }
    }

    private void Fail(MachineChannel? channel)
    {
        if (channel is null)
        {
            return;
        }

        _requests!.Fail(channel);
        LogDisconnected(_computeId, channel.Id);
        if (_line.Current is null)
        {
            _watch?.Dispose();
            _watch = null;
        }
    }

    private async Task StoreAsync(MachineState next)
    {
        var before = state.State;
        try
        {
            await WriteAsync(() =>
            {
                state.State = next;
                return state.WriteStateAsync(CancellationToken.None);
            });
            _heardAt = next.LastHeartbeatAt;
        }
        catch (CerverException)
        {
            state.State = before;
            throw;
        }
    }

    /// <summary>
    /// Writes to the store. A failed write leaves open what is stored, and the next one looks first. The activation stays, because the machine's channel and what is
    /// under way on it have nothing to do with that.
    /// </summary>
    private async Task WriteAsync(Func<Task> write)
    {
        try
        {
            if (_isInDoubt)
            {
                await state.ReadStateAsync(CancellationToken.None);
            }

            _isInDoubt = true;
            await write();
            _isInDoubt = false;
        }
        catch (InconsistentStateException failure)
        {
            // What is under way would keep this activation, which is the wrong one.
            Fail(_line.Drop());
            DeactivateOnIdle();
            LogStateFailed(failure, _computeId);
            throw new CerverException(CerverError.Fenced, "Somebody else wrote to this machine's registration first. Try again.");
        }
        catch (Exception failure)
        {
            LogStateFailed(failure, _computeId);
            throw new CerverException(
                CerverError.StorageUnavailable, "What the gateway knows of the machine could not be stored. Send it again later, which does no harm.");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Registered machine {ComputeId} of account {AccountId}")]
    private partial void LogRegistered(string computeId, string accountId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted machine {ComputeId} of account {AccountId}")]
    private partial void LogDeleted(string computeId, string accountId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Machine {ComputeId} is connected by channel {ChannelId}")]
    private partial void LogConnected(string computeId, string channelId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Channel {ChannelId} of machine {ComputeId} has ended")]
    private partial void LogDisconnected(string computeId, string channelId);

    [LoggerMessage(Level = LogLevel.Error, Message = "What is known of machine {ComputeId} could not be stored")]
    private partial void LogStateFailed(Exception failure, string computeId);
}
