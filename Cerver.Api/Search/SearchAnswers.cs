using System.Text.Json.Serialization;
using Cerver.Api.Sessions;
using Cerver.Search;

namespace Cerver.Api.Search;

/// <summary>One page of what a search found.</summary>
public sealed record SearchAnswer
{
    /// <summary>The best first.</summary>
    public required ImmutableArray<SearchHitAnswer> Hits { get; init; }

    /// <summary>Send it as <c>cursor</c> for the next page; null on the last. A search that takes long ends early, so a page with few hits, or none, need not be the last.</summary>
    public required string? NextCursor { get; init; }

    /// <summary><c>all</c> when the hits match the whole query, <c>any</c> when nothing did and they have some of its words.</summary>
    public required string Matched { get; init; }

    internal static SearchAnswer Of(SearchPage page) => new()
    {
        Hits = [.. page.Hits.Select(SearchHitAnswer.Of)],
        NextCursor = page.Next is { } next ? SearchCursorText.Write(next) : null,
        Matched = page.MatchedAll ? "all" : "any",
    };
}

/// <summary>An entry that was found.</summary>
public sealed record SearchHitAnswer
{
    /// <summary>The session it is in.</summary>
    public required string SessionId { get; init; }

    /// <summary>The session's name.</summary>
    public required string SessionName { get; init; }

    /// <summary>Its position in the transcript.</summary>
    public required long Index { get; init; }

    /// <summary>When it was said.</summary>
    public required DateTime At { get; init; }

    /// <summary>Who said it.</summary>
    public required string Role { get; init; }

    /// <summary>Its kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The part of its text around the match; what matched stands between <c>**</c> and <c>**</c>.</summary>
    public required string Snippet { get; init; }

    /// <summary>0 to 1; the higher the better. Comparable within one answer only.</summary>
    public required double Score { get; init; }

    internal static SearchHitAnswer Of(SearchHit hit) => new()
    {
        SessionId = hit.SessionId,
        SessionName = hit.SessionName,
        Index = hit.Index,
        At = hit.At.UtcDateTime,
        Role = EntryWriter.WordOf(hit.Role).ToString(),
        Kind = hit.Kind,
        Snippet = hit.Snippet,
        Score = hit.Score,
    };
}

/// <summary>How searches are answered.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(SearchAnswer))]
internal sealed partial class SearchJson : JsonSerializerContext;
