using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Secrets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Storage;

namespace Cerver.Grains.Secrets.Infisical;

/// <inheritdoc cref="IInfisicalVaultGrain"/>
[GrainType("infisical-vaults")]
internal sealed partial class InfisicalVaultGrain(
    [PersistentState("infisical-vaults", ComputeGrain.StorageName)] IPersistentState<InfisicalVaultState> state,
    ICredentialProtector protector,
    IInfisicalVerifier verifier,
    IOptions<InfisicalSiteOptions> sites,
    TimeProvider time,
    ILogger<InfisicalVaultGrain> logger) : Grain, IInfisicalVaultGrain, IDisposable
{
    /// <summary>Shorter than the callers' patience, so that they hear what came of it.</summary>
    private static readonly TimeSpan VerifyLimit = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _leaving = new();
    private readonly Dictionary<string, Verification> _verifications = new(StringComparer.Ordinal);
    private readonly ImmutableArray<string> _sites = sites.Value.Allowed();

    private string AccountId => InfisicalVaultKey.Parse(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _leaving.CancelAsync();

    /// <inheritdoc/>
    public Task<ImmutableArray<InfisicalVaultRecord>> ListAsync(CancellationToken cancellationToken) =>
        Task.FromResult<ImmutableArray<InfisicalVaultRecord>>([.. state.State.InOrder().Select(static vault => vault.ToRecord())]);

    /// <inheritdoc/>
    public async Task<InfisicalVaultRecord> CreateAsync(string vaultId, InfisicalVaultFields fields, CancellationToken cancellationToken)
    {
        if (state.State.Find(vaultId) is { } made)
        {
            return made.ToRecord();
        }

        if (state.State.Deleted.Contains(vaultId))
        {
            throw new CerverException(CerverError.Conflict, "The vault was made and deleted meanwhile.");
        }

        var vault = InfisicalVaultRules.Apply(new() { VaultId = vaultId, CreatedAt = time.GetUtcNow() }, fields, _sites);
        InfisicalVaultRules.CheckRoom(state.State);
        await StoreAsync(state.State.With(Protect(vault, fields)));
        LogCreated(vaultId, AccountId, vault.SiteUrl);
        return Require(vaultId).ToRecord();
    }

    /// <inheritdoc/>
    public async Task<InfisicalVaultRecord> UpdateAsync(string vaultId, InfisicalVaultFields fields, CancellationToken cancellationToken)
    {
        var vault = Require(vaultId);
        var changed = Protect(InfisicalVaultRules.Apply(vault, fields, _sites), fields);
        if (changed != vault)
        {
            await StoreAsync(state.State.WithChanged(changed));
            LogChanged(vaultId, AccountId, changed.SiteUrl);
        }

        return Require(vaultId).ToRecord();
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string vaultId, CancellationToken cancellationToken)
    {
        if (!state.State.Deleted.Contains(vaultId))
        {
            await StoreAsync(state.State.Without(Require(vaultId)));
            _verifications.Remove(vaultId);
            LogDeleted(vaultId, AccountId);
        }
    }

    /// <inheritdoc/>
    public Task<InfisicalVaultRecord> VerifyAsync(string vaultId, CancellationToken cancellationToken)
    {
        var vault = Require(vaultId);
        if (!_verifications.TryGetValue(vaultId, out var verification) || verification.Revision != vault.Revision || verification.Verified.IsCompleted)
        {
            verification = new Verification(vault.Revision, VerifyAsync(vault));
            _verifications[vaultId] = verification;
        }

        // Whoever goes away does not stop it for the others.
        return verification.Verified.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<InfisicalVaultRecord> NoteVerifiedAsync(InfisicalVaultCheck check, CancellationToken cancellationToken)
    {
        var vault = Require(check.VaultId);
        if (vault.Revision == check.Revision)
        {
            await StoreAsync(state.State.WithChanged(vault with { LastVerifiedAt = check.At, LastVerifyError = check.Error }));
        }

        return Require(check.VaultId).ToRecord();
    }

    /// <inheritdoc/>
    public Task<ImmutableArray<OpenInfisicalVault>> OpenAsync(CancellationToken cancellationToken) =>
        Task.FromResult<ImmutableArray<OpenInfisicalVault>>([.. state.State.InOrder().Select(Open)]);

    /// <inheritdoc/>
    public void Dispose() => _leaving.Dispose();

    private StoredInfisicalVault Require(string vaultId) =>
        state.State.Find(vaultId) ?? throw new CerverException(CerverError.NotFound, "There is no vault of this id. List the account's vaults.");

    private StoredInfisicalVault Protect(StoredInfisicalVault vault, InfisicalVaultFields fields) => InfisicalVaultRules.CredentialIn(fields) is { } credential
        ? vault with { Credential = protector.Protect(AccountId, vault.VaultId, credential) }
        : vault;

    private OpenInfisicalVault Open(StoredInfisicalVault vault) => InfisicalVaultRules.FaultOfSite(vault, _sites) is { } fault
        ? throw new CerverException(CerverError.SecretBackendUnavailable, fault)
        : new(vault.ProjectId, vault.Environment, vault.Path, vault.SiteUrl, vault.ClientId, protector.Unprotect(AccountId, vault.VaultId, vault.Credential));

    /// <summary>Asks while other calls go on, and notes the answer in a turn of its own, because only one may write at a time.</summary>
    private async Task<InfisicalVaultRecord> VerifyAsync(StoredInfisicalVault vault)
    {
        var error = await FindFaultAsync(vault);
        LogVerified(vault.VaultId, AccountId, error is null);
        var check = new InfisicalVaultCheck(vault.VaultId, vault.Revision, time.GetUtcNow(), error);
        return await this.AsReference<IInfisicalVaultGrain>().NoteVerifiedAsync(check, CancellationToken.None);
    }

    private async Task<string?> FindFaultAsync(StoredInfisicalVault vault)
    {
        using var limit = new CancellationTokenSource(VerifyLimit, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _leaving.Token);
        try
        {
            var open = Open(vault);
            await verifier.VerifyAsync(
                new InfisicalVault(open.SiteUrl, open.ProjectId, open.Environment, open.Path, open.ClientId, open.Credential), end.Token);
            return null;
        }
        catch (CerverException refusal) when (refusal.Code is not CerverError.StorageUnavailable)
        {
            return refusal.Message;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !_leaving.IsCancellationRequested)
        {
            return $"{vault.SiteUrl} did not answer within {VerifyLimit.TotalSeconds:0} seconds.";
        }
    }

    /// <summary>Keeps a state. After a failure this copy is in doubt: the next call starts from what is stored.</summary>
    private async Task StoreAsync(InfisicalVaultState next)
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
                ? new CerverException(CerverError.Fenced, "Somebody else wrote to this account's vaults first. Try again.")
                : new CerverException(
                    CerverError.StorageUnavailable, "Whether the vault is stored is not known. List the account's vaults before you send it again.");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Made vault {VaultId} of account {AccountId} at {Site}")]
    private partial void LogCreated(string vaultId, string accountId, string site);

    [LoggerMessage(Level = LogLevel.Information, Message = "Changed vault {VaultId} of account {AccountId} at {Site}")]
    private partial void LogChanged(string vaultId, string accountId, string site);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted vault {VaultId} of account {AccountId}")]
    private partial void LogDeleted(string vaultId, string accountId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Verified vault {VaultId} of account {AccountId}: it can be used: {IsUsable}")]
    private partial void LogVerified(string vaultId, string accountId, bool isUsable);

    [LoggerMessage(Level = LogLevel.Error, Message = "The vaults of account {AccountId} could not be stored")]
    private partial void LogStateFailed(Exception failure, string accountId);

    /// <summary>A verification that is going on, or was.</summary>
    /// <param name="Revision">What it is of.</param>
    /// <param name="Verified">What comes of it.</param>
    private sealed record Verification(int Revision, Task<InfisicalVaultRecord> Verified);
}
