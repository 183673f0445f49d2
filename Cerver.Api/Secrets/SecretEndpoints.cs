using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Secrets;

namespace Cerver.Api.Secrets;

/// <summary>What the operator keeps for the account's agents.</summary>
internal static class SecretEndpoints
{
    private const string NotStored = "no-store";

    private static readonly TextParameter Session = new(
        "session_id", "The session whose transcript notes the access: name, source and outcome, never the value. It must be there and not have ended.");

    public static void MapSecrets(this IEndpointRouteBuilder routes)
    {
        var secrets = routes.MapGroup("/v2/secrets").WithTags("Secrets").RequireAuthorization();
        secrets.MapGet("/", List).WithName("listSecrets")
            .WithSummary("Lists the secrets that can be fetched, without their values.")
            .Produces<SecretListAnswer>();
        secrets.MapGet("/{name}", Fetch).WithName("fetchSecret")
            .WithSummary("Fetches a secret with its value.")
            .WithDescription(
                "A name begins with a letter or `_` and has at most 128 characters, letters, digits, `_`, `.` and `-`. 404 `secret_not_found` says which sources were asked. "
                + "Values are not redacted from transcripts and output yet: do not write one there.")
            .WithMetadata(new ParameterMetadata([Session]))
            .Produces<SecretAnswer>();
    }

    private static async Task<JsonAnswer<SecretListAnswer>> List(
        Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response, CancellationToken cancellationToken)
    {
        var names = await calls.ReadOutsideAsync(caller.Secrets(cluster), static (secrets, token) => secrets.ListAsync(token), cancellationToken);
        response.Headers.CacheControl = NotStored;
        var answer = new SecretListAnswer { Secrets = [.. names.Select(SecretNameAnswer.Of)] };
        return JsonAnswer.Of(answer, AnswerJson.Default.SecretListAnswer);
    }

    /// <summary>A read for all that it may leave a note: when it is made again, so was the access.</summary>
    private static async Task<JsonAnswer<SecretAnswer>> Fetch(
        string name, HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response, CancellationToken cancellationToken)
    {
        var secrets = caller.Secrets(cluster);
        var wanted = new FetchSecret(name, Session.Read(request));
        var fetched = await calls.ReadOutsideAsync((secrets, wanted), static (call, token) => call.secrets.FetchAsync(call.wanted, token), cancellationToken);
        response.Headers.CacheControl = NotStored;
        return JsonAnswer.Of(SecretAnswer.Of(fetched), AnswerJson.Default.SecretAnswer);
    }
}
