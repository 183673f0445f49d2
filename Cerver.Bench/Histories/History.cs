using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>
/// What clients did to one gateway and saw of it, and what it held in the end. Times are those of one clock, counted from when the
/// history began.
/// </summary>
internal sealed record History
{
    /// <summary>Every attempt to create a session.</summary>
    public ImmutableArray<Creation> Creations { get; init; } = [];

    /// <summary>Every attempt to append.</summary>
    public ImmutableArray<Append> Appends { get; init; } = [];

    /// <summary>Every attempt to start a run.</summary>
    public ImmutableArray<RunStart> Runs { get; init; } = [];

    /// <summary>Every part of a transcript that was read on the way.</summary>
    public ImmutableArray<PageRead> Pages { get; init; } = [];

    /// <summary>What each watcher of a stream collected.</summary>
    public ImmutableArray<Watched> Watchers { get; init; } = [];

    /// <summary>What was done to the gateway.</summary>
    public ImmutableArray<Fault> Faults { get; init; } = [];

    /// <summary>Every failure that a client was answered with, or met instead of an answer.</summary>
    public ImmutableArray<Failure> Failures { get; init; } = [];

    /// <summary>
    /// What the gateway held in the end, read from each source in turn; the first is what all else is compared with, the others must say
    /// the same.
    /// </summary>
    public ImmutableArray<FinalState> Finals { get; init; } = [];
}

/// <summary>What the client knows of a request.</summary>
internal enum Outcome
{
    /// <summary>It was answered with a 2xx.</summary>
    Acknowledged = 1,

    /// <summary>It was answered with a 4xx: it must have had no effect.</summary>
    Refused = 2,

    /// <summary>There was no answer, or a 5xx: it may or may not have had its effect.</summary>
    Unknown = 3,
}

/// <summary>An attempt to create a session.</summary>
/// <param name="Name">The session's name; no other creation has it, but for the retries of this one.</param>
/// <param name="Key">The idempotency key, or null.</param>
/// <param name="Started">When it was sent.</param>
/// <param name="Answered">When the answer was there, or when the client gave up.</param>
/// <param name="Outcome">How it went.</param>
/// <param name="Session">The id that was answered, or null.</param>
internal sealed record Creation(string Name, string? Key, TimeSpan Started, TimeSpan Answered, Outcome Outcome, string? Session);

/// <summary>An attempt to append. A retry is an attempt of its own with the same payloads.</summary>
/// <param name="Writer">Who sent it. A writer sends one request after the other, and after an unknown outcome goes on only when the process that it asked is gone.</param>
/// <param name="Session">The session.</param>
/// <param name="Payloads">The contents of the entries, in order; at least one, each unique in the history.</param>
/// <param name="Key">The idempotency key, or null. Without a key nothing is retried.</param>
/// <param name="Started">When it was sent.</param>
/// <param name="Answered">When the answer was there, or when the client gave up.</param>
/// <param name="Outcome">How it went.</param>
/// <param name="Total">How many entries the transcript had according to the answer, or null.</param>
internal sealed record Append(
    string Writer,
    string Session,
    ImmutableArray<string> Payloads,
    string? Key,
    TimeSpan Started,
    TimeSpan Answered,
    Outcome Outcome,
    long? Total);

/// <summary>An attempt to start a run. A retry is an attempt of its own with the same code.</summary>
/// <param name="Session">The session.</param>
/// <param name="Code">The code, unique in the history but for retries.</param>
/// <param name="Output">Everything that it prints on stdout when nobody stops it; it exits with 0 and prints nothing on stderr.</param>
/// <param name="Key">The idempotency key, or null.</param>
/// <param name="Started">When it was sent.</param>
/// <param name="Answered">When the head of the answer was there, or when the client gave up.</param>
/// <param name="Outcome">How it went.</param>
/// <param name="Run">The id that was answered, or null.</param>
internal sealed record RunStart(
    string Session, string Code, string Output, string? Key, TimeSpan Started, TimeSpan Answered, Outcome Outcome, string? Run);

/// <summary>A part of a transcript as it was read: everything from a position to the end at that moment.</summary>
/// <param name="Session">The session.</param>
/// <param name="First">The position of the first entry.</param>
/// <param name="Total">How many entries the transcript had according to the answer.</param>
/// <param name="Entries">The entries.</param>
/// <param name="Started">When it was asked for.</param>
/// <param name="Answered">When it was there.</param>
internal sealed record PageRead(
    string Session, long First, long Total, ImmutableArray<LogEntry> Entries, TimeSpan Started, TimeSpan Answered);

/// <summary>What one watcher collected over all its reconnects.</summary>
/// <param name="Watcher">Who watched.</param>
/// <param name="Stream">The id of the run, or of the session, or <see cref="AccountRules.Stream"/>.</param>
/// <param name="After">The id after which it began; -1 from the beginning.</param>
/// <param name="Events">The events in the order in which they came.</param>
/// <param name="ReachedEnd">Whether it came to the end, which it must when it is given the time.</param>
internal sealed record Watched(string Watcher, string Stream, long After, ImmutableArray<StreamEvent> Events, bool ReachedEnd);

/// <summary>Something done to the gateway.</summary>
/// <param name="Kind">Of which kind.</param>
/// <param name="What">What, as the end of "after …".</param>
/// <param name="Struck">When.</param>
/// <param name="Healed">
/// From when on the gateway had all that it needs to serve. After a kill of the only process that is when the next one said that it was ready; where others are
/// left it is when the fault struck.
/// </param>
/// <param name="Over">When everything was as before the fault.</param>
/// <param name="Host">The host of the sandboxes of the one silo that was struck, or null when it was not one silo.</param>
/// <param name="Returned">When what was killed was started again, or what was frozen went on; null for all else.</param>
internal sealed record Fault(
    FaultKind Kind, string What, TimeSpan Struck, TimeSpan Healed, TimeSpan Over, string? Host = null, TimeSpan? Returned = null);

/// <summary>What a client met that is the gateway's doing and not its own.</summary>
/// <param name="Request">The method and the path.</param>
/// <param name="Status">The status; 0 when there was none, or when a stream broke off.</param>
/// <param name="Description">What was said, or what broke.</param>
/// <param name="Started">When the request was sent.</param>
/// <param name="Answered">When the client knew.</param>
internal sealed record Failure(string Request, int Status, string Description, TimeSpan Started, TimeSpan Answered);

/// <summary>What the gateway held when all was done, as one source tells it.</summary>
/// <param name="Source">When or whence it was read, as the end of "what was read …".</param>
/// <param name="Sessions">The sessions of this history's creations, or null when the source has none.</param>
/// <param name="Logs">The transcripts.</param>
/// <param name="Runs">The runs, or null when the source has none.</param>
/// <param name="Streams">The sessions' streams from the beginning on, or null when the source has none.</param>
internal sealed record FinalState(
    string Source,
    ImmutableArray<FinalSession>? Sessions,
    ImmutableArray<FinalLog> Logs,
    ImmutableArray<FinalRun>? Runs,
    ImmutableArray<FinalStream>? Streams);

/// <summary>A session as it was in the end.</summary>
/// <param name="Session">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Status">Its status.</param>
/// <param name="Record">Its record in a list, as JSON; null when nobody keeps it.</param>
internal sealed record FinalSession(string Session, string Name, string Status, string? Record = null);

/// <summary>A transcript as it was in the end.</summary>
/// <param name="Session">The session.</param>
/// <param name="Total">How many entries it has according to the gateway.</param>
/// <param name="Entries">The entries from position 0 on.</param>
internal sealed record FinalLog(string Session, long Total, ImmutableArray<LogEntry> Entries);

/// <summary>A run as it was in the end.</summary>
/// <param name="Session">The session.</param>
/// <param name="Run">Its id.</param>
/// <param name="Code">The code.</param>
/// <param name="Status">Its status.</param>
/// <param name="ExitCode">Its exit code, or null.</param>
/// <param name="Ended">When it was closed, or null.</param>
/// <param name="Events">Its stream from the beginning to the end.</param>
/// <param name="Host">The host that its sandbox was on, or null where there is only one.</param>
internal sealed record FinalRun(
    string Session, string Run, string Code, string Status, int? ExitCode, TimeSpan? Ended, ImmutableArray<StreamEvent> Events, string? Host = null)
{
    /// <summary>Whether anything shows that its program was started: one that its sandbox refused is on record as lost, without output.</summary>
    public bool DidStart => Status != "lost" || Events.Any(EventData.IsOutput);
}

/// <summary>A session's stream as it was in the end.</summary>
/// <param name="Session">The session.</param>
/// <param name="Events">Its events from the beginning on.</param>
internal sealed record FinalStream(string Session, ImmutableArray<StreamEvent> Events);

/// <summary>An entry of a transcript.</summary>
/// <param name="At">Its time, as the gateway writes it.</param>
/// <param name="Role">Its role.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Content">Its content.</param>
/// <param name="ToolId">What the call and the result of a tool share, or null.</param>
internal sealed record LogEntry(string At, string Role, string Kind, string? Content, string? ToolId);

/// <summary>An event of a stream.</summary>
/// <param name="Id">Its position.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Data">What it says, the bytes of its line as text.</param>
internal sealed record StreamEvent(long Id, string Kind, string Data);
