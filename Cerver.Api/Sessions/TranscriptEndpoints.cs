using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Api.Sessions.Exports;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>What a session remembers: reading it and adding to it.</summary>
internal static class TranscriptEndpoints
{
    private static readonly FlagParameter Full = new("full", "The whole transcript, as when nothing is said.");
    private static readonly NumberParameter Since = new("since", 0, long.MaxValue, "Only entries from this position on; the first entry of a transcript is 0.");
    private static readonly NumberParameter Tail = new("tail", 0, long.MaxValue, "Only this many entries from the end.");

    private static readonly ChoiceParameter Format = new(
        "format",
        TranscriptFormat.Words,
        "`text` to read, which it is when left out; `markdown` to read rendered; `jsonl` for programs: a line with the session's record, then a line for each entry.");

    public static void MapTranscripts(this IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/v2/sessions/{sessionId}").WithTags("Transcripts").RequireAuthorization();
        session.MapGet("/", Read).WithName("getSession")
            .WithSummary("Reads a session and its transcript, or a part of it.")
            .WithDescription("A transcript of any length is streamed as one JSON document. `since` and `tail` exclude each other.")
            .WithMetadata(new ParameterMetadata([Full, Since, Tail]))
            .Produces<SessionWithTranscript>();
        session.MapGet("/export", Export).WithName("exportSession")
            .WithSummary("Reads the whole transcript as a file.")
            .WithDescription(
                "It has the entries that there are when it begins. When something goes wrong on the way the connection is cut: a file that ends in order is whole.")
            .WithMetadata(new ParameterMetadata([Format]))
            .Produces<string>(StatusCodes.Status200OK, "text/plain", "text/markdown", "application/x-ndjson");
        session.MapPost("/transcript", Append).WithName("appendTranscript")
            .WithSummary("Adds entries to the end of the transcript: all of them, in order, or none.")
            .WithDescription("They are on disk when this answers. With `expected_total` nothing is added when somebody else appended first: 409 `conflict` says the total.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<EntriesAppended>(StatusCodes.Status201Created);
        session.MapPost("/input", Input).WithName("sendInput")
            .WithSummary("Adds what the user says next and wakes the session.")
            .WithDescription("Exactly one entry is added. A session that is idle and has compute is resumed.")
            .WithMetadata(new ParameterMetadata([IdempotencyKey.Parameter]))
            .Produces<InputAccepted>();
    }

    private static async Task<TranscriptAnswer> Read(
        string sessionId, HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        Caller.RequireSession(sessionId);
        var slice = ReadSlice(request);
        var first = await calls.ReadSessionAsync(cluster, caller.AccountId, sessionId, slice, cancellationToken);
        return new(first, since => calls.ReadSessionAsync(cluster, caller.AccountId, sessionId, new TranscriptSlice(since), cancellationToken));
    }

    private static async Task<TranscriptExport> Export(
        string sessionId, HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        Caller.RequireSession(sessionId);
        var format = TranscriptFormat.Of(Format.Read(request) ?? TranscriptFormat.Text);
        var first = await calls.ReadSessionAsync(cluster, caller.AccountId, sessionId, new TranscriptSlice(), cancellationToken);
        return new(format, first, since => calls.ReadSessionAsync(cluster, caller.AccountId, sessionId, new TranscriptSlice(since), cancellationToken));
    }

    private static async Task<JsonAnswer<EntriesAppended>> Append(
        string sessionId, Body<AppendBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var request = EntryReader.Read(body.Value);
        var total = await calls.WriteAsync(body.Operation, (session, request), static (call, operation) => call.session.AppendAsync(call.request, operation));
        var answer = new EntriesAppended { Appended = request.Entries.Length, TranscriptTotal = total.TakeFor(response) };
        return JsonAnswer.Of(answer, AnswerJson.Default.EntriesAppended, StatusCodes.Status201Created);
    }

    private static async Task<JsonAnswer<InputAccepted>> Input(
        string sessionId, Body<InputBody> body, Caller caller, IClusterClient cluster, GrainCalls calls, HttpResponse response)
    {
        var session = caller.Session(cluster, sessionId);
        var entry = EntryReader.Read(body.Value);
        var taken = await calls.WriteOutsideAsync(body.Operation, (session, entry), static (call, operation) => call.session.InputAsync(call.entry, operation));
        var record = taken.TakeFor(response);
        var answer = new InputAccepted { SessionId = sessionId, Status = StatusWords.Of(record.Status), TranscriptTotal = record.TranscriptTotal };
        return JsonAnswer.Of(answer, AnswerJson.Default.InputAccepted);
    }

    private static TranscriptSlice ReadSlice(HttpRequest request)
    {
        _ = Full.Read(request);
        var since = Since.Read(request);
        var tail = Tail.Read(request);
        return since is not null && tail is not null
            ? throw new CerverException(CerverError.InvalidRequest, "'since' and 'tail' exclude each other; send one of them.", Tail.Name)
            : new(since, tail);
    }
}
