using System.Security.Claims;
using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Secrets;
using Cerver.Sessions;

namespace Cerver.Api.Accounts;

/// <summary>The account that calls, and the way to the grains that hold its things.</summary>
/// <param name="AccountId">The account.</param>
/// <param name="Key">The API key that it calls with, masked.</param>
internal sealed record Caller(string AccountId, string Key)
{
    /// <summary>The claim that has the masked key.</summary>
    public const string KeyClaim = "cerver.key";

    /// <summary>Binds the parameter of a handler. Only routes that demand a token have a caller.</summary>
    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context.User));

    /// <summary>Who was let in.</summary>
    public static Caller Of(ClaimsPrincipal? user) => new(Claim(user, ClaimTypes.NameIdentifier), Claim(user, KeyClaim));

    /// <summary>The one writer of a session.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when no session can have this id.</exception>
    public ISessionGrain Session(IClusterClient cluster, string sessionId)
    {
        RequireSession(sessionId);
        return cluster.GetGrain<ISessionGrain>(SessionKey.For(AccountId, sessionId));
    }

    /// <summary>Where everything that only reads goes.</summary>
    public static IRecallGrain Recall(IClusterClient cluster) => cluster.GetGrain<IRecallGrain>(0);

    /// <summary>The sandbox of one of the caller's sessions.</summary>
    public IComputeGrain Sandbox(IClusterClient cluster, string sandboxId) =>
        cluster.GetGrain<IComputeGrain>(SandboxKey.For(AccountId, sandboxId));

    /// <summary>One of the account's own machines.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when no machine can have this id.</exception>
    public IMachineGrain Machine(IClusterClient cluster, string computeId) =>
        Ids.IsMachine(computeId) ? cluster.GetGrain<IMachineGrain>(MachineKey.For(AccountId, computeId)) : throw NoCompute();

    /// <summary>The account itself.</summary>
    public IAccountGrain Account(IClusterClient cluster) => cluster.GetGrain<IAccountGrain>(AccountKey.For(AccountId));

    /// <summary>The account's secrets.</summary>
    public ISecretGrain Secrets(IClusterClient cluster) => cluster.GetGrain<ISecretGrain>(SecretKey.For(AccountId));

    /// <summary>The projects of Infisical that the account brought along.</summary>
    public IInfisicalVaultGrain InfisicalVaults(IClusterClient cluster) => cluster.GetGrain<IInfisicalVaultGrain>(InfisicalVaultKey.For(AccountId));

    /// <summary>Refuses what cannot be a session's id before any grain is made for it.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    public static void RequireSession(string sessionId)
    {
        if (!Ids.IsSession(sessionId))
        {
            throw new CerverException(CerverError.NotFound, "There is no session of this id.");
        }
    }

    /// <summary>Refuses what cannot be a run's id before anything is looked up.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    public static void RequireRun(string runId)
    {
        if (!Ids.IsRun(runId))
        {
            throw new CerverException(CerverError.NotFound, "There is no run of this id.");
        }
    }

    /// <summary>Refuses what cannot be a vault's id before anything is looked up.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    public static void RequireVault(string vaultId)
    {
        if (!Ids.IsVault(vaultId))
        {
            throw new CerverException(CerverError.NotFound, "There is no vault of this id. List the account's vaults.");
        }
    }

    /// <summary>What whoever asks for a compute is told that the account does not have.</summary>
    public static CerverException NoCompute() => new(CerverError.NotFound, "There is no compute of this id in the account. GET /v2/computes lists what there is.");

    private static string Claim(ClaimsPrincipal? user, string type) =>
        user?.FindFirstValue(type) ?? throw new InvalidOperationException("A route without authorization has no caller.");
}
