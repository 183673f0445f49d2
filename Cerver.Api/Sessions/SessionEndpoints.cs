using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>A session's life: created, found again, renamed, closed.</summary>
internal static class SessionEndpoints
{
    private const int DefaultLimit = 20;

    private static readonly NumberParameter Limit = new("limit", 1, 200, "How many sessions; 20 when left out.");
    private static readonly TextParameter Status = new("status", "Only sessions of this status: `idle`, `running`, `ended`, or a synonym of one.");
    private static readonly TextParameter Source = new("source", "Only sessions whose metadata has this `source`.");
    private static readonly TextParameter Harness = new("harness", "Only sessions of this harness.");
    private static readonly TextParameter Provider = new("provider", "Only sessions whose compute is of this provider, such as `local`; `none` for those without.");
    private static readonly TimeParameter Since = new("since", "Only sessions that were last active at this time or later.");
    private static readonly TimeParameter Until = new("until", "Only sessions that were last active before this time.");
    private static readonly TextParameter Name = new("q", "Only sessions whose name contains this, whatever the case of its letters.");
    private static readonly TextParameter Cursor = new("cursor", "The `next_cursor` of the page before.");
    private static readonly FlagParameter Purge = new("purge", "Whether to erase the record, the transcript and all output too.");

    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/v2/sessions").WithTags("Sessions").RequireAuthorization();
        sessions.MapPost("/", Create).WithName("createSession")
            .WithSummary("Creates a session, with compute unless it only holds a transcript.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<SessionCreated>(StatusCodes.Status201Created);
        sessions.MapGet("/", List).WithName("listSessions")
            .WithSummary("Lists the account's sessions, the most recently active first.")
            .WithMetadata(new ParameterMetadata([Limit, Status, Source, Harness, Provider, Since, Until, Name, Cursor]))
            .Produces<SessionListAnswer>();
        sessions.MapPatch("/{sessionId}", Update).WithName("updateSession")
            .WithSummary("Changes a session's name or merges members into its metadata.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<SessionRecord>();
        sessions.MapGet("/{sessionId}/metrics", GetMetrics).WithName("getSessionMetrics")
            .WithSummary("Tells what a session's compute took.")
            .Produces<SessionMetricsAnswer>();
        sessions.MapPost("/{sessionId}/status", ReportStatus).WithName("reportSessionStatus")
            .WithSummary("Takes what the relay of a machine says of the agent that it drives for a session.")
            .WithDescription(
                "`idle` and `running` count for sessions on machines; of others the gateway knows by itself what is up. The words of an end end any session: its compute is released.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<StatusTaken>();
        sessions.MapDelete("/{sessionId}", End).WithName("endSession")
            .WithSummary("Ends a session for good.")
            .WithDescription("Its runs are stopped, its compute and files released. The transcript stays unless it is purged. Repeating it is fine.")
            .WithMetadata(new ParameterMetadata([Purge, IdempotencyKey.Parameter]))
            .Produces<SessionClosed>();
    }

    private static async Task<JsonAnswer<SessionCreated>> Create(
        OptionalBody<CreateSessionBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, TimeProvider time, HttpResponse response)
    {
        var request = CreateSessionReader.Read(body.Value);
        var session = caller.Session(cluster, Ids.NewSession(time));
        var created = await calls.WriteAsync(body.Operation, (session, request), static (call, operation) => call.session.CreateAsync(call.request, operation));
        var record = created.TakeFor(response);
        response.Headers.Location = $"/v2/sessions/{record.SessionId}";
        return JsonAnswer.Of(SessionCreated.Of(record), AnswerJson.Default.SessionCreated, StatusCodes.Status201Created);
    }

    private static async Task<JsonAnswer<SessionListAnswer>> List(
        HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        var filter = new SessionFilter(
            (int)(Limit.Read(request) ?? DefaultLimit),
            Cursor.Read(request) is { } cursor ? SessionCursorText.Parse(cursor, Cursor.Name) : null,
            Status.Read(request) is { } status ? StatusWords.Parse(status, Status.Name) : null,
            Source.Read(request),
            Harness.Read(request),
            Name.Read(request),
            Provider.Read(request),
            Since.Read(request),
            Until.Read(request));
        var list = await calls.ReadAsync(
            (Recall: Caller.Recall(cluster), caller.AccountId, filter),
            static (call, token) => call.Recall.ListSessionsAsync(call.AccountId, call.filter, token),
            cancellationToken);
        var answer = new SessionListAnswer { Sessions = list.Sessions, NextCursor = list.Next is { } next ? SessionCursorText.Write(next) : null };
        return JsonAnswer.Of(answer, AnswerJson.Default.SessionListAnswer);
    }

    private static async Task<JsonAnswer<SessionRecord>> Update(
        string sessionId, Body<UpdateSessionBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var request = new UpdateSession(body.Value.SessionName, body.Value.Metadata);
        var updated = await calls.WriteAsync(body.Operation, (session, request), static (call, operation) => call.session.UpdateAsync(call.request, operation));
        return JsonAnswer.Of(updated.TakeFor(response), AnswerJson.Default.SessionRecord);
    }

    private static async Task<JsonAnswer<SessionMetricsAnswer>> GetMetrics(
        string sessionId, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        Caller.RequireSession(sessionId);
        var page = await calls.ReadSessionAsync(cluster, caller.AccountId, sessionId, new TranscriptSlice(Tail: 0), cancellationToken);
        var answer = new SessionMetricsAnswer { SessionId = sessionId, Metrics = SessionMetricsBody.Of(page.Session) };
        return JsonAnswer.Of(answer, AnswerJson.Default.SessionMetricsAnswer);
    }

    private static async Task<JsonAnswer<StatusTaken>> ReportStatus(
        string sessionId, Body<ReportStatusBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var report = new ReportStatus(StatusWords.ParseReport(body.Value.Status!, body.Value.EndReason, "status"), body.Value.EndReason);
        var taken = await calls.WriteAsync(body.Operation, (session, report), static (call, operation) => call.session.ReportStatusAsync(call.report, operation));
        return JsonAnswer.Of(new StatusTaken { SessionId = sessionId, Status = StatusWords.Of(taken.TakeFor(response).Status) }, AnswerJson.Default.StatusTaken);
    }

    private static async Task<JsonAnswer<SessionClosed>> End(
        string sessionId, HttpRequest request, NoBody body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var purge = Purge.Read(request);
        var session = caller.Session(cluster, sessionId);
        var ended = await calls.WriteAsync(body.Operation, (session, purge), static (call, operation) => call.session.EndAsync(call.purge, operation));
        _ = ended.TakeFor(response);
        return JsonAnswer.Of(new SessionClosed { SessionId = sessionId }, AnswerJson.Default.SessionClosed);
    }
}
