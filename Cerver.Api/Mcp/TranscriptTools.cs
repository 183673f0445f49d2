using Cerver.Api.Calls;
using Cerver.Api.Sessions;
using Cerver.Errors;
using Cerver.Sessions;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>What a session remembers: looked at, read as a whole, added to.</summary>
internal sealed class TranscriptTools(IClusterClient cluster, GrainCalls calls)
{
    private const int DefaultLastN = 10;

    public async Task<CallToolResult> PeekAsync(PeekArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        if (arguments.FromIndex is not null && arguments.Cursor is not null)
        {
            throw new CerverException(CerverError.InvalidRequest, "'from_index' and 'cursor' exclude each other; send one of them.", "from_index");
        }

        Accounts.Caller.RequireSession(call.SessionId);
        var cursor = arguments.FromIndex is { } index ? PeekCursor.From(index) : PeekCursor.Parse(arguments.Cursor, "cursor");
        var peek = await TranscriptPeek.ReadAsync(cursor, arguments.LastN ?? DefaultLastN, Pages(call, cancellationToken));
        return ToolAnswer.Of(peek.Write, _ => peek.Text, peek.Note);
    }

    public async Task<CallToolResult> ExportAsync(ExportArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        Accounts.Caller.RequireSession(call.SessionId);
        var (text, note) = await TranscriptExcerpt.ReadAsync(ExportCursor.Parse(arguments.Cursor, "cursor"), Pages(call, cancellationToken));
        return ToolAnswer.Text(text, note);
    }

    public async Task<CallToolResult> AppendAsync(AppendBody body, ToolCall call, CancellationToken cancellationToken)
    {
        var session = call.Caller.Session(cluster, call.SessionId);
        var request = EntryReader.Read(body);
        var total = await calls.WriteAsync(call.Operation, (session, request), static (call, operation) => call.session.AppendAsync(call.request, operation));
        var answer = new AppendedEntries { SessionId = call.SessionId, Appended = request.Entries.Length, TranscriptTotal = total.Value };
        return ToolAnswer.Of(answer, ToolJson.Default.AppendedEntries, total.IsReplayed ? ToolAnswer.Replayed : null);
    }

    public async Task<CallToolResult> InputAsync(InputBody body, ToolCall call, CancellationToken cancellationToken)
    {
        var session = call.Caller.Session(cluster, call.SessionId);
        var entry = EntryReader.Read(body);
        var taken = await calls.WriteOutsideAsync(call.Operation, (session, entry), static (call, operation) => call.session.InputAsync(call.entry, operation));
        var record = taken.Value;
        var answer = new TakenInput { SessionId = call.SessionId, Status = StatusWords.Of(record.Status), TranscriptTotal = record.TranscriptTotal };
        return ToolAnswer.Of(answer, ToolJson.Default.TakenInput, taken.IsReplayed ? ToolAnswer.Replayed : null);
    }

    private Func<TranscriptSlice, Task<SessionPage>> Pages(ToolCall call, CancellationToken cancellationToken) =>
        slice => calls.ReadSessionAsync(cluster, call.Caller.AccountId, call.SessionId, slice, cancellationToken);
}
