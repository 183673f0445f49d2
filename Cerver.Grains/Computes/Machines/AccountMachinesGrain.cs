using System.Globalization;
using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Cerver.Grains.Computes.Machines;

/// <inheritdoc cref="IAccountMachinesGrain"/>
[GrainType("account-machines")]
internal sealed partial class AccountMachinesGrain(
    [PersistentState("account-machines", ComputeGrain.StorageName)] IPersistentState<AccountMachinesState> state,
    ILogger<AccountMachinesGrain> logger) : Grain, IAccountMachinesGrain
{
    /// <summary>How many machines an account may have. All of them stand in one answer.</summary>
    public const int MaxMachines = 1_000;

    private string AccountId => AccountMachinesKey.Parse(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken) => Task.FromResult(state.State.Machines);

    /// <inheritdoc/>
    public Task AddAsync(string computeId, CancellationToken cancellationToken)
    {
        if (state.State.Machines.Contains(computeId))
        {
            return Task.CompletedTask;
        }

        return state.State.Machines.Length < MaxMachines
            ? StoreAsync(state.State.With(computeId))
            : throw new CerverException(
                CerverError.Conflict,
                string.Create(CultureInfo.InvariantCulture, $"An account has at most {MaxMachines} machines. Delete one that is not used any more."));
    }

    /// <inheritdoc/>
    public async Task<bool> RemoveAsync(string computeId, CancellationToken cancellationToken)
    {
        if (!state.State.Machines.Contains(computeId))
        {
            return state.State.Deleted.Contains(computeId);
        }

        await StoreAsync(state.State.Without(computeId));
        return true;
    }

    /// <summary>Keeps a state. After a failure this copy is in doubt: the next call starts from what is stored.</summary>
    private async Task StoreAsync(AccountMachinesState next)
    {
        var before = state.State;
        try
        {
            state.State = next;
            await state.WriteStateAsync(CancellationToken.None);
        }
        catch (Exception failure)
        {
            state.State = before;
            DeactivateOnIdle();
            LogStateFailed(failure, AccountId);
            throw failure is InconsistentStateException
                ? new CerverException(CerverError.Fenced, "Somebody else wrote to this account's machines first. Try again.")
                : new CerverException(CerverError.StorageUnavailable, "The account's machines could not be stored. Try again later.");
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The machines of account {AccountId} could not be stored")]
    private partial void LogStateFailed(Exception failure, string accountId);
}
