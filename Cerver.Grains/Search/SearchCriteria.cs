using Cerver.Errors;
using Cerver.Grains.Storage;
using Cerver.Search;

namespace Cerver.Grains.Search;

/// <summary>What is the same in every database about where to look. Pure.</summary>
internal static class SearchCriteria
{
    /// <summary>How long one step of a search may take.</summary>
    public static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(1);

    /// <summary>Groups of marks of which an entry must have one each, see <see cref="SearchMarks"/>.</summary>
    public static ImmutableArray<IReadOnlyList<string>> MarksOf(SearchRequest request)
    {
        var groups = ImmutableArray.CreateBuilder<IReadOnlyList<string>>();
        if (request.SessionId is { } sessionId)
        {
            groups.Add([SearchMarks.OfSession(sessionId)]);
        }

        if (request.Role is { } role)
        {
            groups.Add([SearchMarks.OfRole(role)]);
        }

        if (request.Kind is { } kind)
        {
            groups.Add([SearchMarks.OfKind(kind)]);
        }

        if (request.Since is not null || request.Until is not null)
        {
            groups.Add(SearchMarks.OfDays(
                request.Since is { } since ? UnixMicroseconds.From(since) : null, request.Until is { } until ? UnixMicroseconds.From(until) : null));
        }

        return groups.ToImmutable();
    }

    /// <summary>What a search is refused with that took too long.</summary>
    public static CerverException TooSlow() => new(
        CerverError.InvalidRequest,
        "So many entries match a part of this that it takes too long. Write more of the word before the '*', look for rarer words, or narrow it with since, until or session_id.",
        "q");
}
