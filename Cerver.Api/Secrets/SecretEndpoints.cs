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

    private const int DefaultLimit = 50;

    private static readonly NumberParameter Limit = new("limit", 1, 200, "How many accesses; 50 when left out.");
    private static readonly TextParameter Cursor = new("cursor", "The `next_cursor` of the page before.");
    private static readonly TextParameter Name = new("name", "Only those of the secret of this name.");
    private static readonly TextParameter ForSession = new("session_id", "Only those for this session.");
    private static readonly TimeParameter Since = new("since", "Only those at this time or later.");
    private static readonly TimeParameter Until = new("until", "Only those before this time.");

    public static void MapSecrets(this IEndpointRouteBuilder routes)
    {
        var secrets = routes.MapGroup("/v2/secrets").WithTags("Secrets").RequireAuthorization();
        secrets.MapGet("/", List).WithName("listSecrets")
            .WithSummary("Lists the secrets that can be fetched, without their values.")
            .Produces<SecretListAnswer>();
        secrets.MapGet("/audit", ListAccesses).WithName("listSecretAccesses")
            .WithSummary("Lists who asked for secrets of the account and what came of it, the newest first.")
            .WithDescription("Every fetch, injection into a run and refusal, for 90 days unless the operator set another time. Never a value. A secret called `audit` is fetched through MCP.")
            .WithMetadata(new ParameterMetadata([Limit, Cursor, Name, ForSession, Since, Until]))
            .Produces<SecretAccessListAnswer>();
        secrets.MapGet("/{name}", Fetch).WithName("fetchSecret")
            .WithSummary("Fetches a secret with its value.")
            .WithDescription(
                "A name begins with a letter or `_` and has at most 128 characters, letters, digits, `_`, `.` and `-`. 404 `secret_not_found` says which sources were asked. "
                + "From then on the value is replaced by `[secret:NAME]` in whatever the account's sessions write, in all its usual forms. One of fewer than 8 characters "
                + "is not, and comes with a `warning`. A backend that cannot be asked is 502 `secret_backend_unavailable`.")
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
        var wanted = new FetchSecret(name, Session.Read(request), caller.Key);
        var fetched = await calls.ReadOutsideAsync((secrets, wanted), static (call, token) => call.secrets.FetchAsync(call.wanted, token), cancellationToken);
        response.Headers.CacheControl = NotStored;
        return JsonAnswer.Of(SecretAnswer.Of(fetched), AnswerJson.Default.SecretAnswer);
    }

    private static async Task<JsonAnswer<SecretAccessListAnswer>> ListAccesses(
        HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response, CancellationToken cancellationToken)
    {
        var filter = new SecretAccessFilter(
            (int)(Limit.Read(request) ?? DefaultLimit),
            Cursor.Read(request) is { } cursor ? SecretAccessCursorText.Parse(cursor, Cursor.Name) : null,
            Name.Read(request),
            ForSession.Read(request),
            Since.Read(request),
            Until.Read(request));
        var page = await calls.ReadAsync(
            (Secrets: caller.Secrets(cluster), filter), static (call, token) => call.Secrets.ListAccessesAsync(call.filter, token), cancellationToken);
        response.Headers.CacheControl = NotStored;
        return JsonAnswer.Of(SecretAccessListAnswer.Of(page), AnswerJson.Default.SecretAccessListAnswer);
    }
}
