using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Api.Sessions;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Operations;
using Cerver.Sessions;

namespace Cerver.Api.Computes;

/// <summary>The compute under a living session: brought up, put away, exchanged.</summary>
internal static class SessionComputeEndpoints
{
    private const int MaxPriorities = 20;

    public static void MapSessionCompute(this IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/v2/sessions/{sessionId}").WithTags("Computes").RequireAuthorization();
        session.MapPost("/resume", Resume).WithName("resumeSession")
            .WithSummary("Brings a session's compute up again; the transcript and the files are as they were.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<SessionRecord>();
        session.MapPost("/pause", Pause).WithName("pauseSession")
            .WithSummary("Ends what runs and releases the compute; the session, its transcript and its files stay.")
            .WithDescription("Repeating it is fine.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<SessionRecord>();
        session.MapPost("/compute", Change).WithName("changeCompute")
            .WithSummary("Puts other compute under the session, or none.")
            .WithDescription("The transcript stays; files of the old sandbox are removed.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<SessionRecord>();
        session.MapPost("/change-compute", ChangeByPriority).WithName("changeComputeByPriority")
            .WithSummary("Puts other compute under the session: the first of a list that can take it.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<SessionRecord>();
    }

    private static async Task<JsonAnswer<SessionRecord>> Resume(
        string sessionId, OptionalBody<ResumeBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var resumed = await calls.WriteAsync(
            body.Operation, (session, body.Value.Compute), static (call, operation) => call.session.ResumeAsync(call.Compute, operation));
        return JsonAnswer.Of(resumed.TakeFor(response), AnswerJson.Default.SessionRecord);
    }

    private static async Task<JsonAnswer<SessionRecord>> Pause(
        string sessionId, NoBody body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var paused = await calls.WriteAsync(body.Operation, session, static (session, operation) => session.PauseAsync(operation));
        return JsonAnswer.Of(paused.TakeFor(response), AnswerJson.Default.SessionRecord);
    }

    private static async Task<JsonAnswer<SessionRecord>> Change(
        string sessionId, Body<ChangeComputeBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var choice = body.Value.Compute ?? throw new CerverException(
            CerverError.InvalidRequest, "'compute' must say what the session goes on with; null for nothing.", "compute");
        return await ChangeAsync(session, choice, body.Operation, calls, response);
    }

    private static async Task<JsonAnswer<SessionRecord>> ChangeByPriority(
        string sessionId, Body<PrioritizeComputeBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var choices = ReadPriorities(body.Value.ComputePriority);
        foreach (var choice in choices[..^1])
        {
            try
            {
                return await ChangeAsync(session, choice, body.Operation, calls, response);
            }
            catch (CerverException refusal) when (refusal.Code is CerverError.NoCompute or CerverError.ComputeOffline or CerverError.ProviderUnavailable)
            {
                // The next one on the caller's list is what they want then.
            }
        }

        return await ChangeAsync(session, choices[^1], body.Operation, calls, response);
    }

    private static ImmutableArray<ComputeChoice> ReadPriorities(string?[]? words)
    {
        const string Field = "compute_priority";
        return words is { Length: > 0 and <= MaxPriorities }
            ? [.. words.Select(static (word, index) => ComputeWords.Parse(word ?? string.Empty, $"{Field}[{index}]"))]
            : throw new CerverException(CerverError.InvalidRequest, $"'{Field}' must hold 1 to {MaxPriorities} provider names or compute ids.", Field);
    }

    private static async Task<JsonAnswer<SessionRecord>> ChangeAsync(
        ISessionGrain session, ComputeChoice choice, Operation? named, GrainCalls calls, HttpResponse response)
    {
        var changed = await calls.WriteAsync(
            named, (session, choice), static (call, operation) => call.session.ChangeComputeAsync(call.choice, operation));
        return JsonAnswer.Of(changed.TakeFor(response), AnswerJson.Default.SessionRecord);
    }
}
