using Cerver.Sessions;

namespace Cerver.Search;

/// <summary>What to look for in the transcripts of an account. A null criterion is not applied.</summary>
/// <param name="Query">
/// Words (all of them must be there), <c>"phrases"</c>, <c>prefixes*</c>, <c>-words</c> that must not be there, and <c>OR</c> between two of these; at most
/// 1,000 characters.
/// </param>
/// <param name="Limit">1 .. 100 hits.</param>
/// <param name="After">Where the page before ended, or null.</param>
/// <param name="SessionId">Only this session.</param>
/// <param name="Role">Only what was said in this role.</param>
/// <param name="Kind">Only entries of this kind.</param>
/// <param name="Since">Only entries of this time and later.</param>
/// <param name="Until">Only entries before this time.</param>
/// <param name="Harness">Only sessions of this harness.</param>
/// <param name="Source">Only sessions whose metadata has this <c>source</c>.</param>
[GenerateSerializer, Immutable, Alias("cerver.search.request")]
public sealed record SearchRequest(
    [property: Id(0)] string Query,
    [property: Id(1)] int Limit,
    [property: Id(2)] SearchCursor? After = null,
    [property: Id(3)] string? SessionId = null,
    [property: Id(4)] EntryRole? Role = null,
    [property: Id(5)] string? Kind = null,
    [property: Id(6)] DateTimeOffset? Since = null,
    [property: Id(7)] DateTimeOffset? Until = null,
    [property: Id(8)] string? Harness = null,
    [property: Id(9)] string? Source = null);

/// <summary>A place in what a search found.</summary>
/// <param name="Newest">The number below which the matches are that are ranked at once.</param>
/// <param name="Taken">How many hits of the window were given already.</param>
/// <param name="MatchedAll">As in the page before.</param>
[GenerateSerializer, Immutable, Alias("cerver.search.cursor")]
public sealed record SearchCursor(
    [property: Id(0)] long Newest,
    [property: Id(1)] int Taken,
    [property: Id(2)] bool MatchedAll);

/// <summary>An entry that was found.</summary>
/// <param name="SessionId">The session it is in.</param>
/// <param name="SessionName">The session's name.</param>
/// <param name="Index">Its position in the transcript.</param>
/// <param name="At">When it was said.</param>
/// <param name="Role">Who said it.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Snippet">The part of its text around the match, at most 400 characters; what matched stands between <c>**</c> and <c>**</c>.</param>
/// <param name="Score">0 .. 1; the higher the better. Comparable within one answer only.</param>
[GenerateSerializer, Immutable, Alias("cerver.search.hit")]
public sealed record SearchHit(
    [property: Id(0)] string SessionId,
    [property: Id(1)] string SessionName,
    [property: Id(2)] long Index,
    [property: Id(3)] DateTimeOffset At,
    [property: Id(4)] EntryRole Role,
    [property: Id(5)] string Kind,
    [property: Id(6)] string Snippet,
    [property: Id(7)] double Score);

/// <summary>One page of hits.</summary>
/// <param name="Hits">The hits, the best first.</param>
/// <param name="Next">Where the next page begins, or null when this is the last.</param>
/// <param name="MatchedAll">
/// Whether the hits match the whole query. When no entry does, the hits are those that have the rarest and the most of its words.
/// </param>
[GenerateSerializer, Immutable, Alias("cerver.search.page")]
public sealed record SearchPage(
    [property: Id(0)] ImmutableArray<SearchHit> Hits,
    [property: Id(1)] SearchCursor? Next,
    [property: Id(2)] bool MatchedAll);
