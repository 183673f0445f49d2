using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>Watching a session, or all of an account.</summary>
internal static class SessionStreamEndpoints
{
    public static void MapSessionStreams(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/v2/sessions").WithTags("Streams").RequireAuthorization();
        sessions.MapGet("/stream", WatchAccount).WithName("watchSessions")
            .WithSummary("Streams the account's sessions as they change.")
            .WithMetadata(new ParameterMetadata(StreamPosition.Parameters))
            .WithDescription("Of changes that follow each other within a quarter of a second the last one is told. Without an id the stream begins now: watch first, then list. "
                + "A session that is erased is not told of.")
            .Produces<string>(contentType: EventStreamResult.ContentType);
        sessions.MapGet("/{sessionId}/stream", WatchSession).WithName("watchSession")
            .WithSummary("Streams everything that happens in a session, from the beginning or after an event.")
            .WithMetadata(new ParameterMetadata(StreamPosition.Parameters))
            .WithDescription("Entries, statuses and runs in one order, which is the same for everybody and whenever it is read. An id that the session has not come to is refused.")
            .Produces<string>(contentType: EventStreamResult.ContentType);
        sessions.MapGet("/{sessionId}/agent/stream", WatchAgent).WithName("watchAgent")
            .WithSummary("Streams what the session's agent tells while it works, from now on.")
            .WithDescription(
                "Only of agents that a machine's relay drives. It is a live copy, in the relay's own words, without ids: who comes back begins anew, and the transcript has what lasts.")
            .Produces<string>(contentType: EventStreamResult.ContentType);
    }

    private static async Task<EventStreamResult> WatchSession(
        string sessionId, HttpRequest request, Caller caller, SessionFeed feed, CancellationToken cancellationToken)
    {
        Caller.RequireSession(sessionId);
        var position = StreamPosition.Read(request);
        var count = await feed.CountAsync(caller.AccountId, sessionId, cancellationToken);
        position?.RequireAtMost(Math.Max(count - 1, 0));

        // Only the stream's own token ends the watching: it is what tells a client that went away from a failure.
        return new(feed.WatchAsync(caller.AccountId, sessionId, position?.After, CancellationToken.None), position?.After);
    }

    private static async Task<EventStreamResult> WatchAgent(
        string sessionId, Caller caller, AgentFeed feed, SessionFeed sessions, CancellationToken cancellationToken)
    {
        Caller.RequireSession(sessionId);
        var known = await sessions.CountAsync(caller.AccountId, sessionId, cancellationToken);
        return new(feed.WatchAsync(caller.AccountId, sessionId, known, CancellationToken.None), after: null);
    }

    private static EventStreamResult WatchAccount(HttpRequest request, Caller caller, AccountFeed feed)
    {
        var after = StreamPosition.Read(request)?.After;
        return new(feed.WatchAsync(caller.AccountId, after), after);
    }
}
