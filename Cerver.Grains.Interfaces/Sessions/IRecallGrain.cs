using Cerver.Errors;
using Cerver.Runs;
using Cerver.Search;

namespace Cerver.Sessions;

/// <summary>Reads what sessions of an account left. It only reads, and any number of activations serve side by side.</summary>
/// <remarks>Use key 0. What a call acknowledged before is seen by every call here after.</remarks>
[Alias("cerver.recall"), GrainInterfaceType("cerver.recall")]
public interface IRecallGrain : IGrainWithIntegerKey
{
    /// <summary>Sessions of an account, the most recently active first.</summary>
    [Alias("list-sessions")]
    Task<SessionList> ListSessionsAsync(string accountId, SessionFilter filter, CancellationToken cancellationToken = default);

    /// <summary>A session's record and, from one snapshot with it, a slice of its transcript.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    [Alias("read-session")]
    Task<SessionPage> ReadSessionAsync(string accountId, string sessionId, TranscriptSlice slice, CancellationToken cancellationToken = default);

    /// <summary>A session's runs, the newest first, each with the first 4,096 characters of its code.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="before">Only runs that were started before this run, or null.</param>
    /// <param name="limit">1 .. 200.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    [Alias("list-runs")]
    Task<ImmutableArray<RunRecord>> ListRunsAsync(string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken = default);

    /// <summary>One run of a session.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    [Alias("get-run")]
    Task<RunRecord> GetRunAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken = default);

    /// <summary>Output of a run after a sequence number: as many chunks as fit into 256 KiB, at least one if there is one.</summary>
    [Alias("read-output")]
    Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken = default);

    /// <summary>What happened in a session from a position on, in order.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="from">The position of the first event wanted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    [Alias("read-events")]
    Task<SessionEventPage> ReadEventsAsync(string accountId, string sessionId, long from, CancellationToken cancellationToken = default);

    /// <summary>Sessions of an account that changed, in the order of their last changes.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="after">The number of the last change that is known, or 0.</param>
    /// <param name="limit">1 .. 200.</param>
    /// <param name="cancellationToken">Gives up.</param>
    [Alias("list-changed")]
    Task<ChangedSessions> ListChangedAsync(string accountId, long after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Looks for entries in all transcripts of an account, the best first.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> when the query has nothing to look for.</exception>
    [Alias("search")]
    Task<SearchPage> SearchAsync(string accountId, SearchRequest request, CancellationToken cancellationToken = default);

    /// <summary>Asks the database. Completes when it answers and takes writes.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>; the message says why.</exception>
    [Alias("ping")]
    Task PingAsync(CancellationToken cancellationToken = default);
}
