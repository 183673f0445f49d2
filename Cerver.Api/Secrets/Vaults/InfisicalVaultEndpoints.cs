using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Secrets;

namespace Cerver.Api.Secrets.Vaults;

/// <summary>The projects of Infisical that an account brings along itself.</summary>
internal static class InfisicalVaultEndpoints
{
    public static void MapInfisicalVaults(this IEndpointRouteBuilder routes)
    {
        var vaults = routes.MapGroup("/v2/account/infisical").WithTags("Secrets").RequireAuthorization();
        vaults.MapGet("/", List).WithName("listInfisicalVaults")
            .WithSummary("Lists the account's own projects of Infisical, in the order in which they are asked for secrets.")
            .Produces<InfisicalVaultListAnswer>();
        vaults.MapPost("/", Create).WithName("createInfisicalVault")
            .WithSummary("Connects a project of Infisical to the account, so that its secrets can be fetched.")
            .WithDescription(
                "It takes the `client_id` and `client_secret` of a machine identity with universal auth, or a `service_token`; both are encrypted where they are kept and no call "
                + "answers them. Nothing is asked of Infisical yet: verify it. The first one is the default. An account has at most 20; then it is 409 `conflict`.")
            .Produces<InfisicalVaultAnswer>(StatusCodes.Status201Created);
        vaults.MapPatch("/{vaultId}", Update).WithName("updateInfisicalVault")
            .WithSummary("Changes one, or gives it a new credential.")
            .WithDescription("After another project, environment, path, site or credential it counts as not verified.")
            .Produces<InfisicalVaultAnswer>();
        vaults.MapDelete("/{vaultId}", Delete).WithName("deleteInfisicalVault")
            .WithSummary("Disconnects one and forgets its credential.")
            .WithDescription("If it was the default, the oldest of the others is now. Repeating it is fine.")
            .Produces<InfisicalVaultDeleted>();
        vaults.MapPost("/{vaultId}/verify", Verify).WithName("verifyInfisicalVault")
            .WithSummary("Asks Infisical whether it lets the gateway in.")
            .WithDescription("200 either way: `last_verify_error` says in a sentence what is wrong, and is null when nothing is.")
            .Produces<InfisicalVaultAnswer>();
    }

    private static async Task<JsonAnswer<InfisicalVaultListAnswer>> List(
        Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        var vaults = await calls.ReadAsync(caller.InfisicalVaults(cluster), static (vaults, token) => vaults.ListAsync(token), cancellationToken);
        var answer = new InfisicalVaultListAnswer { Vaults = [.. vaults.Select(InfisicalVaultAnswer.Of)] };
        return JsonAnswer.Of(answer, AnswerJson.Default.InfisicalVaultListAnswer);
    }

    /// <summary>The id is what a repetition finds the vault by, so the call needs no other name.</summary>
    private static async Task<JsonAnswer<InfisicalVaultAnswer>> Create(
        Body<InfisicalVaultBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, TimeProvider time)
    {
        var made = await calls.WriteAgainAsync(
            (Vaults: caller.InfisicalVaults(cluster), Id: Ids.NewVault(time), Fields: body.Value.ToFields()),
            static call => call.Vaults.CreateAsync(call.Id, call.Fields));
        return JsonAnswer.Of(InfisicalVaultAnswer.Of(made), AnswerJson.Default.InfisicalVaultAnswer, StatusCodes.Status201Created);
    }

    private static async Task<JsonAnswer<InfisicalVaultAnswer>> Update(
        string vaultId, Body<InfisicalVaultBody> body, Caller caller, IClusterClient cluster, GrainCalls calls)
    {
        Caller.RequireVault(vaultId);
        var changed = await calls.WriteAgainAsync(
            (Vaults: caller.InfisicalVaults(cluster), vaultId, Fields: body.Value.ToFields()),
            static call => call.Vaults.UpdateAsync(call.vaultId, call.Fields));
        return JsonAnswer.Of(InfisicalVaultAnswer.Of(changed), AnswerJson.Default.InfisicalVaultAnswer);
    }

    private static async Task<JsonAnswer<InfisicalVaultDeleted>> Delete(string vaultId, Caller caller, IClusterClient cluster, GrainCalls calls)
    {
        Caller.RequireVault(vaultId);
        await calls.WriteAgainAsync(
            (Vaults: caller.InfisicalVaults(cluster), vaultId),
            static async call =>
            {
                await call.Vaults.DeleteAsync(call.vaultId);
                return call.vaultId;
            });
        return JsonAnswer.Of(new InfisicalVaultDeleted { Id = vaultId }, AnswerJson.Default.InfisicalVaultDeleted);
    }

    /// <summary>A read for all that it leaves a note: when it is made again, Infisical is asked again, or the answer to the same question waited for.</summary>
    private static async Task<JsonAnswer<InfisicalVaultAnswer>> Verify(
        string vaultId, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        Caller.RequireVault(vaultId);
        var verified = await calls.ReadAsync(
            (Vaults: caller.InfisicalVaults(cluster), vaultId),
            static (call, token) => call.Vaults.VerifyAsync(call.vaultId, token),
            cancellationToken);
        return JsonAnswer.Of(InfisicalVaultAnswer.Of(verified), AnswerJson.Default.InfisicalVaultAnswer);
    }
}
