using Cerver.Secrets;

namespace Cerver.Api.Secrets;

/// <summary>Who asked for secrets.</summary>
public sealed record SecretAccessListAnswer
{
    /// <summary>The accesses, the newest first.</summary>
    public required ImmutableArray<SecretAccessAnswer> Accesses { get; init; }

    /// <summary>Send it as <c>cursor</c> for what is older; null when this is all.</summary>
    public required string? NextCursor { get; init; }

    internal static SecretAccessListAnswer Of(SecretAccessPage page) => new()
    {
        Accesses = [.. page.Accesses.Select(SecretAccessAnswer.Of)],
        NextCursor = page.Next is { } next ? SecretAccessCursorText.Write(next) : null,
    };
}

/// <summary>That somebody asked for a secret.</summary>
public sealed record SecretAccessAnswer
{
    /// <summary>When.</summary>
    public required DateTime At { get; init; }

    /// <summary>The API key that asked, of which only the beginning is known.</summary>
    public required string Key { get; init; }

    /// <summary>The session that it was for, or null.</summary>
    public required string? SessionId { get; init; }

    /// <summary>The run that it was put into, or null.</summary>
    public required string? RunId { get; init; }

    /// <summary>The secret's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it was, or null when no source had it.</summary>
    public required string? Source { get; init; }

    /// <summary>What came of it: <c>fetched</c>, <c>injected</c>, <c>denied</c>, <c>not_found</c> or <c>unavailable</c>.</summary>
    public required string Outcome { get; init; }

    internal static SecretAccessAnswer Of(SecretAccess access) => new()
    {
        At = access.At.UtcDateTime,
        Key = access.Key,
        SessionId = access.SessionId,
        RunId = access.RunId,
        Name = access.Name,
        Source = access.Source,
        Outcome = SecretOutcomes.WordOf(access.Outcome),
    };
}
