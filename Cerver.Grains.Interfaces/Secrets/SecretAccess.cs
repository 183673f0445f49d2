namespace Cerver.Secrets;

/// <summary>What came of asking for a secret.</summary>
[GenerateSerializer, Alias("cerver.secret.outcome")]
public enum SecretOutcome
{
    /// <summary>It was given away.</summary>
    Fetched = 1,

    /// <summary>No source is open to the account.</summary>
    Denied = 2,

    /// <summary>No source that is open to the account has it.</summary>
    NotFound = 3,

    /// <summary>It was put into the environment of a run.</summary>
    Injected = 4,

    /// <summary>A source that had to be asked could not be.</summary>
    Unavailable = 5,
}

/// <summary>That somebody asked for a secret. It never has the value.</summary>
/// <param name="At">When.</param>
/// <param name="Key">The API key that asked, masked, such as <c>ck_1a2b…</c>.</param>
/// <param name="SessionId">The session that it was for, or null.</param>
/// <param name="RunId">The run that it was put into, or null.</param>
/// <param name="Name">The secret's name.</param>
/// <param name="Source">The word of the source that had it, or of the one that could not be asked; null when none had it.</param>
/// <param name="Outcome">What came of it.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.access")]
public sealed record SecretAccess(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] string Key,
    [property: Id(2)] string? SessionId,
    [property: Id(3)] string? RunId,
    [property: Id(4)] string Name,
    [property: Id(5)] string? Source,
    [property: Id(6)] SecretOutcome Outcome);

/// <summary>Which accesses to list, the newest first.</summary>
/// <param name="Limit">How many at most, 1 .. 200.</param>
/// <param name="After">The place after which the page begins, or null for the newest.</param>
/// <param name="Name">Only those of the secret of this name, or null.</param>
/// <param name="SessionId">Only those for this session, or null.</param>
/// <param name="Since">Only those at this time or later, or null.</param>
/// <param name="Until">Only those before this time, or null.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.access-filter")]
public sealed record SecretAccessFilter(
    [property: Id(0)] int Limit,
    [property: Id(1)] SecretAccessCursor? After = null,
    [property: Id(2)] string? Name = null,
    [property: Id(3)] string? SessionId = null,
    [property: Id(4)] DateTimeOffset? Since = null,
    [property: Id(5)] DateTimeOffset? Until = null);

/// <summary>A place in a list of accesses.</summary>
/// <param name="At">When the access there was.</param>
/// <param name="Number">Its number, which tells it from others of the same time.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.access-cursor")]
public sealed record SecretAccessCursor(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] long Number);

/// <summary>A page of accesses, the newest first.</summary>
/// <param name="Accesses">The accesses.</param>
/// <param name="Next">What <see cref="SecretAccessFilter.After"/> is for the next page, or null when this is the last.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.access-page")]
public sealed record SecretAccessPage(
    [property: Id(0)] ImmutableArray<SecretAccess> Accesses,
    [property: Id(1)] SecretAccessCursor? Next);
