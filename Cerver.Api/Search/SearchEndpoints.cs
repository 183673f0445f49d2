using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Api.Sessions;
using Cerver.Errors;
using Cerver.Search;

namespace Cerver.Api.Search;

/// <summary>Searching what was said in all sessions.</summary>
internal static class SearchEndpoints
{
    private const int DefaultLimit = 20;

    private static readonly TextParameter Query = new(
        "q",
        "What to look for: words, all of which must be there; `\"phrases\"`; `prefixes*`; `-words` that must not be there; `OR` between two of these. Case and accents do not "
        + "matter, identifiers and paths are found by their parts. At most 1,000 characters and 32 words.");

    private static readonly NumberParameter Limit = new("limit", 1, 100, "How many hits; 20 when left out.");
    private static readonly TextParameter Cursor = new("cursor", "The `next_cursor` of the page before.");
    private static readonly ChoiceParameter Role = new("role", ["user", "assistant", "tool", "system"], "Only what was said in this role.");
    private static readonly TextParameter Kind = new("kind", "Only entries of this kind, such as `tool_result`.");
    private static readonly TextParameter Harness = new("harness", "Only sessions of this harness.");
    private static readonly TimeParameter Since = new("since", "Only what was said at this time or later.");
    private static readonly TimeParameter Until = new("until", "Only what was said before this time.");
    private static readonly TextParameter Source = new("source", "Only sessions whose metadata has this `source`.");
    private static readonly TextParameter SessionId = new("session_id", "Only this session.");

    public static void MapSearch(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/v2/sessions").WithTags("Search").RequireAuthorization().MapGet("/search", Search).WithName("searchSessions")
            .WithSummary("Finds what was said in any session of the account, the best first.")
            .WithDescription(
                "What was acknowledged before is found. The newest 2,000 matches are ranked, of equals the newest comes first; older ones come with the next pages. When no entry "
                + "has all that was looked for, `matched` is `any` and the hits are those that have the rarest and the most of it. The first 16,000 words of an entry are searched.")
            .WithMetadata(new ParameterMetadata([Query, Limit, Cursor, Role, Kind, Harness, Since, Until, Source, SessionId]))
            .Produces<SearchAnswer>();

    private static async Task<JsonAnswer<SearchAnswer>> Search(
        HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        var search = new SearchRequest(
            Query.Read(request) ?? throw new CerverException(CerverError.InvalidRequest, "'q' must say what to look for.", Query.Name),
            (int)(Limit.Read(request) ?? DefaultLimit),
            Cursor.Read(request) is { } cursor ? SearchCursorText.Parse(cursor, Cursor.Name) : null,
            SessionId.Read(request),
            Role.Read(request) is { } role ? EntryReader.ParseRole(role, Role.Name) : null,
            Kind.Read(request),
            Since.Read(request),
            Until.Read(request),
            Harness.Read(request),
            Source.Read(request));
        var page = await calls.SearchAsync(cluster, caller.AccountId, search, cancellationToken);
        return JsonAnswer.Of(SearchAnswer.Of(page), SearchJson.Default.SearchAnswer);
    }
}
