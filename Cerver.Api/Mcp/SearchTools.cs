using Cerver.Api.Calls;
using Cerver.Api.Search;
using Cerver.Api.Sessions;
using Cerver.Search;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>Looks for what was said, in all sessions of the account.</summary>
internal sealed class SearchTools(IClusterClient cluster, GrainCalls calls)
{
    private const int DefaultLimit = 20;
    private const int MaxSnippetBytes = 700;
    private const int MaxNameBytes = 100;

    public async Task<CallToolResult> SearchAsync(SearchArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        var request = new SearchRequest(
            arguments.Q!,
            arguments.Limit ?? DefaultLimit,
            string.IsNullOrEmpty(arguments.Cursor) ? null : SearchCursorText.Parse(arguments.Cursor, "cursor"),
            arguments.SessionId,
            arguments.Role is { } role ? EntryReader.ParseRole(role, "role") : null,
            arguments.Kind,
            arguments.Since,
            arguments.Until,
            arguments.Harness,
            arguments.Source);
        var page = await calls.SearchAsync(cluster, call.Caller.AccountId, request, cancellationToken);
        var answer = SearchAnswer.Of(page);
        answer = answer with { Hits = [.. answer.Hits.Select(Shorten)] };
        return ToolAnswer.Of(answer, SearchJson.Default.SearchAnswer, NoteOf(answer));
    }

    /// <summary>A name or a snippet of long characters is cut, so that the largest answer stays within its bounds.</summary>
    private static SearchHitAnswer Shorten(SearchHitAnswer hit) => hit with
    {
        SessionName = ToolAnswer.Shorten(hit.SessionName, MaxNameBytes),
        Snippet = ToolAnswer.Shorten(hit.Snippet, MaxSnippetBytes),
    };

    private static string? NoteOf(SearchAnswer answer) => answer switch
    {
        { Hits.IsEmpty: true, NextCursor: { } next } =>
            $"[Cerver: nothing was found among the newest entries, and looking on takes long. Call cerver_session_search again with the same arguments and cursor \"{next}\" to go further back, or narrow it with since, until or session_id.]",
        { Hits.IsEmpty: true } => "[Cerver: nothing was found. Try fewer or other words, or a beginning of a word with * after it.]",
        { NextCursor: { } next } => $"[Cerver: there are more hits. Call cerver_session_search again with the same arguments and cursor \"{next}\". To read around a hit: cerver_session_peek with its session_id and from_index.]",
        _ => null,
    };
}
