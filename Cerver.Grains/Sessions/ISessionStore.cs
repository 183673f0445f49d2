using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>Where sessions and their transcripts are kept. Every failure is a <see cref="CerverException"/>.</summary>
internal interface ISessionStore
{
    /// <summary>Among how many of the newest entries of a transcript an append is found by its id.</summary>
    const int FoundAppendEntries = 20_000;

    /// <summary>A session's record, or null when the account has no such session.</summary>
    Task<SessionRecord?> FindAsync(string accountId, string sessionId, CancellationToken cancellationToken);

    /// <summary>A session's record and a part of its transcript from one snapshot, or null when the account has no such session.</summary>
    Task<SessionPage?> ReadAsync(string accountId, string sessionId, TranscriptSlice slice, CancellationToken cancellationToken);

    /// <summary>Sessions of an account, the most recently active first.</summary>
    Task<SessionList> ListAsync(string accountId, SessionFilter filter, CancellationToken cancellationToken);

    /// <summary>Commits a change in one transaction. It is on disk when the task completes.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Fenced"/> when somebody else committed since the record was read.</exception>
    Task CommitAsync(SessionChange change, CancellationToken cancellationToken);

    /// <summary>
    /// How long the transcript was right after an append that is known by an id, see <see cref="SessionChange.AppendId"/>, or null when it is not among the
    /// <see cref="FoundAppendEntries"/> newest entries: what is looked for happened seconds ago, and a look must not cost more the longer a transcript is.
    /// </summary>
    Task<long?> FindAppendAsync(string accountId, string sessionId, Guid appendId, CancellationToken cancellationToken);

    /// <summary>What happened in a session from a position on, or null when the account has no such session.</summary>
    Task<SessionEventPage?> ReadEventsAsync(string accountId, string sessionId, long from, CancellationToken cancellationToken);

    /// <summary>Sessions of an account that changed after a change, in the order of their last changes.</summary>
    Task<ChangedSessions> ListChangedAsync(string accountId, long after, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Erases a session with its transcript, its runs, their output and what operations on it came to. Repeating it is fine. It succeeds once the
    /// session is out of sight; rows that cannot be erased then are left to <see cref="ResumePurgesAsync"/>.
    /// </summary>
    /// <param name="accountId">The account.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="operation">The operation that asked for it, which is recorded when the session is out of sight, or null.</param>
    /// <param name="cancellationToken">Gives up. When the session is out of sight already, the rest is left to <see cref="ResumePurgesAsync"/>.</param>
    /// <exception cref="CerverException">The session is where it was, unless it is in doubt.</exception>
    Task PurgeAsync(string accountId, string sessionId, RecordedOperation? operation, CancellationToken cancellationToken);

    /// <summary>Goes on with erasures that failed or that a stop of the process cut short. Done at the start and every hour, and harmless beside others.</summary>
    Task ResumePurgesAsync(CancellationToken cancellationToken);

    /// <summary>Whether a session of this id is out of sight and rows of it are still there.</summary>
    Task<bool> IsBeingErasedAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>Whether any session of any account has this sandbox.</summary>
    Task<bool> HasSandboxAsync(string sandboxId, CancellationToken cancellationToken);

    /// <summary>
    /// Completes when the store answers a read and no failure has put an end to its writes. It writes nothing to find out, so a disk that is full
    /// or read-only shows with the next write only.
    /// </summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>; the message says why.</exception>
    Task PingAsync(CancellationToken cancellationToken);

    /// <summary>The sandboxes that are up or have runs going, if what is stored is true; each once, in no order.</summary>
    Task<ImmutableArray<BusySandbox>> ListBusyAsync(CancellationToken cancellationToken);
}

/// <summary>A sandbox that is up or has runs going, according to what is stored.</summary>
/// <param name="AccountId">Whose it is.</param>
/// <param name="SessionId">The session that has it, or that had it when the run began.</param>
/// <param name="SandboxId">The sandbox.</param>
internal sealed record BusySandbox(string AccountId, string SessionId, string SandboxId);

/// <summary>One change of a session: what its record is afterwards, and what came with it.</summary>
/// <param name="Next">The record after the change. Its version is one more than the one that the change was made from.</param>
/// <param name="Entries">New entries; the last one has the position <c>Next.TranscriptTotal - 1</c>.</param>
internal sealed record SessionChange(SessionRecord Next, ImmutableArray<TranscriptEntry> Entries)
{
    /// <summary>A change that leaves a record like this, with its version, counters and time of activity moved on.</summary>
    /// <param name="record">The record with what else changed.</param>
    /// <param name="now">The time. Activity never goes back, also when the clock does.</param>
    /// <param name="rewrites">Whether more than the counters and the time changed.</param>
    /// <param name="entries">New entries, with their times.</param>
    public static SessionChange From(SessionRecord record, DateTimeOffset now, bool rewrites, ImmutableArray<TranscriptEntry> entries)
    {
        var next = record with
        {
            Version = record.Version + 1,
            TranscriptTotal = record.TranscriptTotal + entries.Length,
            UpdatedAt = now > record.UpdatedAt ? now : record.UpdatedAt,
        };
        return new(next, entries) { RewritesRecord = rewrites };
    }

    /// <summary>Whether the session is new.</summary>
    public bool IsNew => Next.Version == 1;

    /// <summary>Whether more than the counters and the time of the last activity changed.</summary>
    public bool RewritesRecord { get; init; }

    /// <summary>Whether the status is another than before. A new session changes to its first.</summary>
    public bool ChangesStatus { get; init; }

    /// <summary>The operation of which this is the effect, or null.</summary>
    public RecordedOperation? Recorded { get; init; }

    /// <summary>The operation that was recorded before its effect was whole, with what it came to, or null.</summary>
    public RecordedOperation? Completed { get; init; }

    /// <summary>What the append can be found by for a while, kept with its last entry; null when nobody will look for it.</summary>
    public Guid? AppendId { get; init; }

    /// <summary>The key of an operation that came to nothing after all, so that it may be sent again, or null.</summary>
    public string? Forgotten { get; init; }

    /// <summary>A run that starts with this change.</summary>
    public RunRecord? Started { get; init; }

    /// <summary>Runs that end with this change.</summary>
    public ImmutableArray<RunEnd> Ended { get; init; } = [];
}
