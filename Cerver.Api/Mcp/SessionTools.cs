using System.Text.Json;
using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Sessions;
using Cerver.Sessions;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>A session's life: found, created, resumed, closed.</summary>
internal sealed class SessionTools(IClusterClient cluster, GrainCalls calls, TimeProvider time)
{
    private const int DefaultLimit = 20;

    public async Task<CallToolResult> ListAsync(ListArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        var filter = new SessionFilter(
            arguments.Limit ?? DefaultLimit,
            string.IsNullOrEmpty(arguments.Cursor) ? null : SessionCursorText.Parse(arguments.Cursor, "cursor"),
            arguments.Status is { } status ? StatusWords.Parse(status, "status") : null,
            arguments.Source,
            arguments.Harness,
            arguments.Q,
            arguments.Provider,
            arguments.Since,
            arguments.Until);
        var list = await calls.ReadAsync(
            (Recall: Caller.Recall(cluster), call.Caller.AccountId, filter),
            static (call, token) => call.Recall.ListSessionsAsync(call.AccountId, call.filter, token),
            cancellationToken);
        var fitting = TakeFitting(list.Sessions);
        var next = fitting.Length < list.Sessions.Length ? CursorAfter(list.Sessions[fitting.Length - 1]) : list.Next;
        var answer = new SessionSummaries { Sessions = fitting, NextCursor = next is null ? null : SessionCursorText.Write(next) };
        var note = next is null ? null : $"[Cerver: there are more sessions. Call cerver_session_list again with the same arguments and cursor \"{answer.NextCursor}\".]";
        return ToolAnswer.Of(answer, ToolJson.Default.SessionSummaries, note);
    }

    public async Task<CallToolResult> CreateAsync(CreateSessionBody body, ToolCall call, CancellationToken cancellationToken)
    {
        var request = CreateSessionReader.Read(body);
        var session = call.Caller.Session(cluster, Ids.NewSession(time));
        var created = await calls.WriteAsync(call.Operation, (session, request), static (call, operation) => call.session.CreateAsync(call.request, operation));
        return ToolAnswer.Of(SessionCreated.Of(created.Value), AnswerJson.Default.SessionCreated, created.IsReplayed ? ToolAnswer.Replayed : null);
    }

    public async Task<CallToolResult> ResumeAsync(ResumeBody body, ToolCall call, CancellationToken cancellationToken)
    {
        var session = call.Caller.Session(cluster, call.SessionId);
        var resumed = await calls.WriteAsync(call.Operation, (session, body.Compute), static (call, operation) => call.session.ResumeAsync(call.Compute, operation));
        return ToolAnswer.Of(SessionSummary.Of(resumed.Value), ToolJson.Default.SessionSummary);
    }

    public async Task<CallToolResult> EndAsync(EndArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        var session = call.Caller.Session(cluster, call.SessionId);
        _ = await calls.WriteAsync(call.Operation, (session, purge: arguments.Purge ?? false), static (call, operation) => call.session.EndAsync(call.purge, operation));
        return ToolAnswer.Of(new SessionClosed { SessionId = call.SessionId }, AnswerJson.Default.SessionClosed);
    }

    private static SessionCursor CursorAfter(SessionRecord session) => new(session.UpdatedAt, session.SessionId);

    /// <summary>As many as fit into an answer, and one at least.</summary>
    private static ImmutableArray<SessionSummary> TakeFitting(ImmutableArray<SessionRecord> sessions)
    {
        var summaries = ImmutableArray.CreateBuilder<SessionSummary>(sessions.Length);
        var bytes = 0;
        foreach (var session in sessions)
        {
            var summary = SessionSummary.Of(session);
            bytes += JsonSerializer.SerializeToUtf8Bytes(summary, ToolJson.Default.SessionSummary).Length;
            if (bytes > ToolAnswer.MaxListBytes && summaries.Count > 0)
            {
                break;
            }

            summaries.Add(summary);
        }

        return summaries.DrainToImmutable();
    }
}
