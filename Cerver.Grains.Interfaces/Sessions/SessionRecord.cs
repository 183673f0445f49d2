namespace Cerver.Sessions;

/// <summary>All there is to know of a session but its transcript.</summary>
/// <param name="SessionId">UUIDv7, or UUIDv8 when it was imported; 36 characters.</param>
/// <param name="AccountId">The account that owns it.</param>
/// <param name="SessionName">For people, at most 200 characters.</param>
/// <param name="Status">What it is doing.</param>
/// <param name="EndReason">Why it ended, or null while it has not; see <see cref="EndReasons"/> for the one reason that stands there before.</param>
/// <param name="SessionType"><c>transcript</c> and <c>chat</c> have no compute; any other word is the caller's own.</param>
/// <param name="Harness">The agent program that drives it, a word of the caller's, or null.</param>
/// <param name="Provider">The compute provider, or <c>none</c> for a session that only holds a transcript.</param>
/// <param name="ComputeId">The compute it runs on, or would on resume.</param>
/// <param name="SandboxId">The sandbox that holds its files; attached while the session is running.</param>
/// <param name="Task">What it is about; a description, never a prompt.</param>
/// <param name="Workload">A word of the caller's for the kind of work.</param>
/// <param name="Requirements">A JSON object as the caller sent it, or null.</param>
/// <param name="Metadata">A JSON object of at most 64 KiB, or null.</param>
/// <param name="Metrics">What its compute took.</param>
/// <param name="ParentSessionId">The session that started this one, or null.</param>
/// <param name="PreviousSessionId">The session this one goes on from, or null.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="UpdatedAt">When something last happened in it; lists are in this order.</param>
/// <param name="TranscriptTotal">How many entries the transcript has.</param>
/// <param name="Version">Goes up by one with every commit; a writer that does not know the newest is refused.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.record")]
public sealed record SessionRecord(
    [property: Id(0)] string SessionId,
    [property: Id(1)] string AccountId,
    [property: Id(2)] string SessionName,
    [property: Id(3)] SessionStatus Status,
    [property: Id(4)] string? EndReason,
    [property: Id(5)] string? SessionType,
    [property: Id(6)] string? Harness,
    [property: Id(7)] string Provider,
    [property: Id(8)] string? ComputeId,
    [property: Id(9)] string? SandboxId,
    [property: Id(10)] string? Task,
    [property: Id(11)] string? Workload,
    [property: Id(12)] string? Requirements,
    [property: Id(13)] string? Metadata,
    [property: Id(14)] SessionMetrics Metrics,
    [property: Id(15)] string? ParentSessionId,
    [property: Id(16)] string? PreviousSessionId,
    [property: Id(17)] DateTimeOffset CreatedAt,
    [property: Id(18)] DateTimeOffset UpdatedAt,
    [property: Id(19)] long TranscriptTotal,
    [property: Id(20)] long Version);

/// <summary>What a session's compute took.</summary>
/// <param name="ProvisionTimeMs">How long the sandbox took to come up, in milliseconds; null when there never was one.</param>
/// <param name="RunCount">How many runs were started.</param>
/// <param name="RunTimeMs">How long the finished runs took together, in milliseconds.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.metrics")]
public sealed record SessionMetrics(
    [property: Id(0)] long? ProvisionTimeMs = null,
    [property: Id(1)] long RunCount = 0,
    [property: Id(2)] long RunTimeMs = 0);
