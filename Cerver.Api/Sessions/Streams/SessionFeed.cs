using System.Runtime.CompilerServices;
using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Api.Streams;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>
/// Reads what happens in sessions, for whoever watches in this process. However many watch a session, it is followed once.
/// </summary>
internal sealed class SessionFeed(IClusterClient cluster, GrainCalls calls)
{
    private readonly LiveTails<SessionEvent> _tails = new();

    /// <summary>The events of a session after a position, until it has ended.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="after">The id of the last event that was seen, or null for none.</param>
    /// <param name="cancellationToken">The watcher goes away.</param>
    public async IAsyncEnumerable<EventFrame> WatchAsync(
        string accountId, string sessionId, long? after, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var source = new Source(cluster, calls, accountId, sessionId);
        var next = after + 1 ?? 0;
        await foreach (var happened in _tails.ReadAsync(sessionId, () => new SessionWatch(source), next, cancellationToken))
        {
            if (happened.Position > next)
            {
                yield return new GapFrame(next, happened.Position - 1);
            }

            next = happened.Position + 1;
            yield return SessionFrames.Of(sessionId, happened);
        }
    }

    /// <summary>How many events the session has.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    public async Task<long> CountAsync(string accountId, string sessionId, CancellationToken cancellationToken) =>
        (await new Source(cluster, calls, accountId, sessionId).ReadAsync(from: long.MaxValue, cancellationToken)).Head;

    private sealed class Source(IClusterClient cluster, GrainCalls calls, string accountId, string sessionId) : ISessionSource
    {
        private readonly ISessionGrain _session = cluster.GetGrain<ISessionGrain>(SessionKey.For(accountId, sessionId));

        public Task<SessionEventPage> ReadAsync(long from, CancellationToken cancellationToken) => calls.ReadAsync(
            (Recall: Caller.Recall(cluster), accountId, sessionId, from),
            static (call, token) => call.Recall.ReadEventsAsync(call.accountId, call.sessionId, call.from, token),
            cancellationToken);

        public Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken) => calls.ReadAsync(
            (_session, known, atMost), static (call, token) => call._session.WaitAsync(call.known, call.atMost, token), cancellationToken);
    }
}
