using Cerver.Runs;

namespace Cerver.Sessions;

/// <summary>One thing that happened in a session. Everything that happens there has a place in one order, which never changes.</summary>
/// <param name="Position">0 for the first event of a session, then one more each.</param>
[GenerateSerializer, Immutable, Alias("cerver.event")]
public abstract record SessionEvent(
    [property: Id(0)] long Position);

/// <summary>An entry was added to the transcript.</summary>
/// <param name="Position">See <see cref="SessionEvent"/>.</param>
/// <param name="Index">The entry's position in the transcript.</param>
/// <param name="Entry">The entry.</param>
[GenerateSerializer, Immutable, Alias("cerver.event.entry")]
public sealed record EntryAdded(
    long Position,
    [property: Id(0)] long Index,
    [property: Id(1)] TranscriptEntry Entry) : SessionEvent(Position);

/// <summary>The session's status changed, or it was created with this one.</summary>
/// <param name="Position">See <see cref="SessionEvent"/>.</param>
/// <param name="Status">The status from then on.</param>
/// <param name="EndReason">Why it ended, or null.</param>
[GenerateSerializer, Immutable, Alias("cerver.event.status")]
public sealed record StatusChanged(
    long Position,
    [property: Id(0)] SessionStatus Status,
    [property: Id(1)] string? EndReason) : SessionEvent(Position);

/// <summary>A run began.</summary>
/// <param name="Position">See <see cref="SessionEvent"/>.</param>
/// <param name="RunId">The run.</param>
[GenerateSerializer, Immutable, Alias("cerver.event.run-began")]
public sealed record RunBegan(
    long Position,
    [property: Id(0)] string RunId) : SessionEvent(Position);

/// <summary>A run printed something.</summary>
/// <param name="Position">See <see cref="SessionEvent"/>.</param>
/// <param name="RunId">The run.</param>
/// <param name="Chunk">What it printed.</param>
[GenerateSerializer, Immutable, Alias("cerver.event.run-printed")]
public sealed record RunPrinted(
    long Position,
    [property: Id(0)] string RunId,
    [property: Id(1)] RunChunk Chunk) : SessionEvent(Position);

/// <summary>A run is over.</summary>
/// <param name="Position">See <see cref="SessionEvent"/>.</param>
/// <param name="Run">How it ended; its code is left out.</param>
[GenerateSerializer, Immutable, Alias("cerver.event.run-ended")]
public sealed record RunEnded(
    long Position,
    [property: Id(0)] RunRecord Run) : SessionEvent(Position);

/// <summary>
/// A part of what happened in a session: as much as fits into 500 events and 512 KiB, at least one event if there is one.
/// </summary>
/// <param name="Head">How many events the session has now.</param>
/// <param name="Events">The events, at consecutive positions.</param>
[GenerateSerializer, Immutable, Alias("cerver.recall.events")]
public sealed record SessionEventPage(
    [property: Id(0)] long Head,
    [property: Id(1)] ImmutableArray<SessionEvent> Events);
