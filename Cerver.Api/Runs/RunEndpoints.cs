using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Errors;
using Cerver.Api.Hosting;
using Cerver.Api.Requests;
using Cerver.Api.Streams;
using Cerver.Errors;
using Cerver.Operations;
using Cerver.Runs;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Runs;

/// <summary>Running code in a session's sandbox, and coming back to what it prints.</summary>
internal static class RunEndpoints
{
    private const string EventStream = "text/event-stream";
    private const string RunIdHeader = "Cerver-Run-Id";
    private const int DefaultLimit = 20;

    private static readonly NumberParameter Limit = new("limit", 1, 200, "How many runs; 20 when left out.");
    private static readonly TextParameter Cursor = new("cursor", "The `next_cursor` of the page before.");

    public static void MapRuns(this IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/v2/sessions/{sessionId}").WithTags("Runs").RequireAuthorization();
        session.MapPost("/run", Run).WithName("runCode")
            .WithSummary("Runs code in the session's sandbox and answers when it is over.")
            .WithDescription("The sandbox comes up first if it is not. Hanging up stops the answer, not the run; its output stays readable by its id. "
                + "Sent again with the same `Idempotency-Key`, it waits for the run that the first call began.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<RunFinished>();
        session.MapPost("/run/stream", StreamRun).WithName("runCodeStreaming")
            .WithSummary("Runs code in the session's sandbox and streams what it prints.")
            .WithDescription("Server-sent events: `run` first, then `stdout` and `stderr`, then `exit` or `error`. The id of an event is its position; "
                + "the `Cerver-Run-Id` header and the first event name the run, whose stream goes on after any id. "
                + "Sent again with the same `Idempotency-Key`, it streams the run that the first call began, from its beginning.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<string>(contentType: EventStream);
        session.MapGet("/runs", ListRuns).WithName("listRuns")
            .WithSummary("Lists the session's runs, the newest first.")
            .WithDescription("Of the code of each run it has the first 4,096 characters; the run itself has all of it.")
            .WithMetadata(new ParameterMetadata([Limit, Cursor]))
            .Produces<RunListAnswer>();
        session.MapGet("/runs/{runId}", GetRun).WithName("getRun")
            .WithSummary("Tells how a run stands.")
            .Produces<RunAnswer>();
        session.MapGet("/runs/{runId}/stream", WatchRun).WithName("watchRun")
            .WithSummary("Streams what a run printed and prints, from the beginning or after an event.")
            .WithDescription("The same events as `run/stream`, byte for byte, for a run that is going on or over. An id that the run has not come to is refused.")
            .WithMetadata(new ParameterMetadata(StreamPosition.Parameters))
            .Produces<string>(contentType: EventStream);
        session.MapDelete("/runs/{runId}", CancelRun).WithName("cancelRun")
            .WithSummary("Stops a run.")
            .WithDescription("Asks its processes to end, and ends them if they do not. Answers at once: 202 while it is still going on, 200 when it is over. "
                + "Repeating it is fine.")
            .Produces<RunAnswer>()
            .Produces<RunAnswer>(StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> Run(
        string sessionId,
        Body<RunBody> body,
        Caller caller,
        IClusterClient cluster,
        GrainCalls calls,
        RunFeed feed,
        TimeProvider time,
        IOptions<ApiOptions> options,
        RequestDrain drain,
        HttpResponse response,
        CancellationToken cancellationToken)
    {
        var run = (await StartAsync(sessionId, body, caller, cluster, calls, time)).TakeFor(response);

        // Whatever becomes of the waiting, the caller can find the run.
        response.Headers[RunIdHeader] = run.RunId;
        var output = new FoldedOutput(options.Value.MaxFoldedOutputBytes);

        // A run may take a day; a gateway that is to stop does not wait for it for long.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, drain.WaitingEnds);
        var finished = await feed.CompleteAsync(caller.AccountId, run, output, ended.Token);
        return finished.Status == RunStatus.Lost
            ? new RefusalAnswer(Refusals.RunLost(run.RunId))
            : new FoldedRunAnswer(finished, output);
    }

    private static async Task<EventStreamResult> StreamRun(
        string sessionId,
        Body<RunBody> body,
        Caller caller,
        IClusterClient cluster,
        GrainCalls calls,
        RunFeed feed,
        TimeProvider time,
        HttpResponse response)
    {
        var run = (await StartAsync(sessionId, body, caller, cluster, calls, time)).TakeFor(response);
        response.Headers[RunIdHeader] = run.RunId;
        return new(feed.Watch(caller.AccountId, run, RunFrames.Beginning), RunFrames.Beginning);
    }

    private static async Task<JsonAnswer<RunListAnswer>> ListRuns(
        string sessionId, HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        Caller.RequireSession(sessionId);
        var limit = (int)(Limit.Read(request) ?? DefaultLimit);
        var before = ReadCursor(request);
        var runs = await calls.ReadAsync(
            (Recall: Caller.Recall(cluster), caller.AccountId, sessionId, before, limit),
            static (call, token) => call.Recall.ListRunsAsync(call.AccountId, call.sessionId, call.before, call.limit, token),
            cancellationToken);
        var answer = new RunListAnswer
        {
            Runs = [.. runs.Select(RunAnswer.Of)],
            NextCursor = runs.Length == limit ? runs[^1].RunId : null,
        };
        return JsonAnswer.Of(answer, AnswerJson.Default.RunListAnswer);
    }

    private static async Task<JsonAnswer<RunAnswer>> GetRun(
        string sessionId, string runId, Caller caller, RunFeed feed, CancellationToken cancellationToken) =>
        AnswerOf(await FindAsync(sessionId, runId, caller, feed, cancellationToken), StatusCodes.Status200OK);

    private static async Task<EventStreamResult> WatchRun(
        string sessionId, string runId, HttpRequest request, Caller caller, RunFeed feed, CancellationToken cancellationToken)
    {
        var position = StreamPosition.Read(request);
        var run = await FindAsync(sessionId, runId, caller, feed, cancellationToken);
        if (position is not null)
        {
            await feed.RequireReachedAsync(caller.AccountId, run, position, cancellationToken);
        }

        var after = position?.After ?? RunFrames.Beginning;
        return new(feed.Watch(caller.AccountId, run, after), after);
    }

    private static async Task<JsonAnswer<RunAnswer>> CancelRun(
        string sessionId, string runId, Caller caller, IClusterClient cluster, GrainCalls calls, RunFeed feed, CancellationToken cancellationToken)
    {
        var run = await FindAsync(sessionId, runId, caller, feed, cancellationToken);
        if (run.Status != RunStatus.Running)
        {
            return AnswerOf(run, StatusCodes.Status200OK);
        }

        // To stop a run twice is to stop it.
        var isGoing = await calls.ReadAsync(
            (Sandbox: caller.Sandbox(cluster, run.SandboxId), runId), static (call, token) => call.Sandbox.CancelAsync(call.runId, token), cancellationToken);
        if (!isGoing)
        {
            // It was over before the sandbox was asked.
            run = await FindAsync(sessionId, runId, caller, feed, cancellationToken);
        }

        return AnswerOf(run, run.Status == RunStatus.Running ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }

    /// <summary>Runs are in the order of their ids, so the last run of a page is where the next begins.</summary>
    private static string? ReadCursor(HttpRequest request) => Cursor.Read(request) switch
    {
        null => null,
        var runId when Ids.IsRun(runId) => runId,
        _ => throw new CerverException(CerverError.InvalidRequest, $"'{Cursor.Name}' must be the 'next_cursor' of an answer before, unchanged.", Cursor.Name),
    };

    private static async Task<Outcome<RunRecord>> StartAsync(
        string sessionId, Body<RunBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, TimeProvider time)
    {
        var session = caller.Session(cluster, sessionId);
        return await calls.StartRunAsync(session, RunReader.Read(body.Value, Ids.NewRun(time), caller), body.Operation, time);
    }

    private static Task<RunRecord> FindAsync(string sessionId, string runId, Caller caller, RunFeed feed, CancellationToken cancellationToken)
    {
        Caller.RequireSession(sessionId);
        Caller.RequireRun(runId);
        return feed.FindAsync(caller.AccountId, sessionId, runId, cancellationToken);
    }

    private static JsonAnswer<RunAnswer> AnswerOf(RunRecord run, int status) => JsonAnswer.Of(RunAnswer.Of(run), AnswerJson.Default.RunAnswer, status);
}
