using Cerver.Errors;
using Cerver.Grains.Runs;
using Cerver.Grains.Search;
using Cerver.Runs;
using Cerver.Search;
using Cerver.Sessions;
using Orleans.Concurrency;

namespace Cerver.Grains.Sessions;

/// <inheritdoc cref="IRecallGrain"/>
[GrainType("recall"), StatelessWorker, Reentrant]
internal sealed class RecallGrain(ISessionStore sessions, IRunStore runs, Searcher searcher) : Grain, IRecallGrain
{
    /// <inheritdoc/>
    public Task<SessionList> ListSessionsAsync(string accountId, SessionFilter filter, CancellationToken cancellationToken) =>
        sessions.ListAsync(accountId, filter, cancellationToken);

    /// <inheritdoc/>
    public async Task<SessionPage> ReadSessionAsync(string accountId, string sessionId, TranscriptSlice slice, CancellationToken cancellationToken) =>
        await sessions.ReadAsync(accountId, sessionId, slice, cancellationToken) ?? throw NoSession();

    /// <inheritdoc/>
    public async Task<ImmutableArray<RunRecord>> ListRunsAsync(
        string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken)
    {
        var list = await runs.ListAsync(accountId, sessionId, before, limit, cancellationToken);
        return list.IsEmpty && await sessions.FindAsync(accountId, sessionId, cancellationToken) is null ? throw NoSession() : list;
    }

    /// <inheritdoc/>
    public async Task<RunRecord> GetRunAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) =>
        await runs.FindAsync(accountId, sessionId, runId, cancellationToken)
        ?? throw new CerverException(CerverError.NotFound, "There is no such run in this session.");

    /// <inheritdoc/>
    public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken) =>
        runs.ReadOutputAsync(accountId, runId, after, cancellationToken);

    /// <inheritdoc/>
    public async Task<SessionEventPage> ReadEventsAsync(string accountId, string sessionId, long from, CancellationToken cancellationToken) =>
        await sessions.ReadEventsAsync(accountId, sessionId, from, cancellationToken) ?? throw NoSession();

    /// <inheritdoc/>
    public Task<ChangedSessions> ListChangedAsync(string accountId, long after, int limit, CancellationToken cancellationToken) =>
        sessions.ListChangedAsync(accountId, after, limit, cancellationToken);

    /// <inheritdoc/>
    public Task<SearchPage> SearchAsync(string accountId, SearchRequest request, CancellationToken cancellationToken) =>
        searcher.SearchAsync(accountId, request, cancellationToken);

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken) => sessions.PingAsync(cancellationToken);

    private static CerverException NoSession() => new(CerverError.NotFound, "There is no such session in this account.");
}
