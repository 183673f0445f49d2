namespace Cerver.Sessions;

/// <summary>Which sessions to list. A null criterion is not applied.</summary>
/// <param name="Limit">1 .. 200.</param>
/// <param name="After">The last session of the page before, or null.</param>
/// <param name="Status">Only these.</param>
/// <param name="Source">Only sessions whose metadata has this <c>source</c>.</param>
/// <param name="Harness">Only sessions of this harness.</param>
/// <param name="Name">Only sessions whose name contains this, whatever the case of its letters.</param>
/// <param name="Provider">Only sessions whose compute this provider provides; <c>none</c> for those that have none.</param>
/// <param name="Since">Only sessions that were last active at this time or later.</param>
/// <param name="Until">Only sessions that were last active before this time.</param>
[GenerateSerializer, Immutable, Alias("cerver.recall.filter")]
public sealed record SessionFilter(
    [property: Id(0)] int Limit,
    [property: Id(1)] SessionCursor? After = null,
    [property: Id(2)] SessionStatus? Status = null,
    [property: Id(3)] string? Source = null,
    [property: Id(4)] string? Harness = null,
    [property: Id(5)] string? Name = null,
    [property: Id(6)] string? Provider = null,
    [property: Id(7)] DateTimeOffset? Since = null,
    [property: Id(8)] DateTimeOffset? Until = null);

/// <summary>A place in a list of sessions.</summary>
/// <param name="UpdatedAt">When the session there was last active.</param>
/// <param name="SessionId">The session there.</param>
[GenerateSerializer, Immutable, Alias("cerver.recall.cursor")]
public sealed record SessionCursor(
    [property: Id(0)] DateTimeOffset UpdatedAt,
    [property: Id(1)] string SessionId);

/// <summary>One page of sessions.</summary>
/// <param name="Sessions">The records, the most recently active first.</param>
/// <param name="Next">Where the next page begins, or null when this is the last.</param>
[GenerateSerializer, Immutable, Alias("cerver.recall.list")]
public sealed record SessionList(
    [property: Id(0)] ImmutableArray<SessionRecord> Sessions,
    [property: Id(1)] SessionCursor? Next);

/// <summary>
/// Which part of a transcript: from <paramref name="Since"/> on, or the last <paramref name="Tail"/>; both null means all of it.
/// </summary>
/// <param name="Since">The position of the first entry wanted.</param>
/// <param name="Tail">How many entries from the end.</param>
[GenerateSerializer, Immutable, Alias("cerver.recall.slice")]
public sealed record TranscriptSlice(
    [property: Id(0)] long? Since = null,
    [property: Id(1)] long? Tail = null);

/// <summary>
/// A session's record and a part of its transcript: as much as fits into 1,000 entries and 1 MiB, at least one entry if there is one.
/// </summary>
/// <param name="Session">The record.</param>
/// <param name="First">The position of the first entry here.</param>
/// <param name="Entries">
/// The entries, at consecutive positions. Go on with <c>Since = First + Entries.Length</c> until the record's total.
/// </param>
[GenerateSerializer, Immutable, Alias("cerver.recall.page")]
public sealed record SessionPage(
    [property: Id(0)] SessionRecord Session,
    [property: Id(1)] long First,
    [property: Id(2)] ImmutableArray<TranscriptEntry> Entries);

/// <summary>A session that changed.</summary>
/// <param name="Change">The number of its last change. None that is listed later, of whatever session, has a lower one.</param>
/// <param name="Session">The record after it.</param>
[GenerateSerializer, Immutable, Alias("cerver.recall.changed")]
public sealed record ChangedSession(
    [property: Id(0)] long Change,
    [property: Id(1)] SessionRecord Session);

/// <summary>A part of an account's sessions in the order of their last changes.</summary>
/// <param name="Head">
/// The number up to which the changes are known: what changes from now on has a higher one. Never lower than before; 0 when nothing has
/// changed yet.
/// </param>
/// <param name="Sessions">The sessions.</param>
[GenerateSerializer, Immutable, Alias("cerver.recall.changed-list")]
public sealed record ChangedSessions(
    [property: Id(0)] long Head,
    [property: Id(1)] ImmutableArray<ChangedSession> Sessions);
