using Cerver.Computes;

namespace Cerver.Sessions;

/// <summary>Creates a session. Every field may be null but the compute choice.</summary>
/// <param name="SessionName">For people; one is made from the task when it is null.</param>
/// <param name="SessionType"><c>transcript</c> and <c>chat</c> get no compute.</param>
/// <param name="Task">What it is about.</param>
/// <param name="Workload">A word of the caller's.</param>
/// <param name="Harness">The agent program.</param>
/// <param name="Compute">What it should run on.</param>
/// <param name="AllowedProviders">The providers that may be chosen; empty means all.</param>
/// <param name="Requirements">A JSON object, see <see cref="ComputeRequirements"/>.</param>
/// <param name="Metadata">A JSON object.</param>
/// <param name="ParentSessionId">The session that starts this one.</param>
/// <param name="Secrets">The names of secrets that are put into the environment of each of its runs, at most 50.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.create")]
public sealed record CreateSession(
    [property: Id(0)] string? SessionName,
    [property: Id(1)] string? SessionType,
    [property: Id(2)] string? Task,
    [property: Id(3)] string? Workload,
    [property: Id(4)] string? Harness,
    [property: Id(5)] ComputeChoice Compute,
    [property: Id(6)] ImmutableArray<string> AllowedProviders,
    [property: Id(7)] string? Requirements,
    [property: Id(8)] string? Metadata,
    [property: Id(9)] string? ParentSessionId,
    [property: Id(10)] ImmutableArray<string> Secrets = default);

/// <summary>Changes what people call a session or what its callers noted on it.</summary>
/// <param name="SessionName">The new name, or null to keep it.</param>
/// <param name="Metadata">A JSON object whose members replace those of the same name (null removes one), or null to keep all.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.update")]
public sealed record UpdateSession(
    [property: Id(0)] string? SessionName,
    [property: Id(1)] string? Metadata);

/// <summary>What a relay says of the agent that it drives for a session.</summary>
/// <param name="Status">What the agent does.</param>
/// <param name="Reason">Why it ended or was paused, at most 2,000 characters, or null.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.report-status")]
public sealed record ReportStatus(
    [property: Id(0)] SessionStatus Status,
    [property: Id(1)] string? Reason = null);

/// <summary>Adds entries to the end of a transcript.</summary>
/// <param name="Entries">1 .. 1,000 entries.</param>
/// <param name="ExpectedTotal">
/// How many entries the transcript has as far as the caller knows; with another number nothing is added. Null does not care.
/// </param>
[GenerateSerializer, Immutable, Alias("cerver.session.append")]
public sealed record AppendEntries(
    [property: Id(0)] ImmutableArray<TranscriptEntry> Entries,
    [property: Id(1)] long? ExpectedTotal = null);
