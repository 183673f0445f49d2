using System.Runtime.CompilerServices;
using Cerver.Api.Accounts;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>Reads the summaries of an account's sessions as they change.</summary>
/// <remarks>
/// A summary is a state and not a fact of a log: of many changes in a moment the last one counts. So nobody tells of changes, and writers pay nothing for those who
/// watch; each watcher asks the index of last activity. Sessions are active at the times that their own writers say, and become visible a little later, so
/// everything within <see cref="Overlap"/> is looked at again, and what was told already is left out.
/// </remarks>
internal sealed class AccountFeed(IClusterClient cluster, TimeProvider time)
{
    private const int PageSessions = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>By how much the order of activity may differ from the order in which it becomes visible.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(10);

    /// <summary>The account's sessions as they change, until the watcher goes away.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="after">The id of the last event that was seen; null begins now.</param>
    /// <param name="cancellationToken">The watcher goes away.</param>
    /// <returns>
    /// First where the watching begins, so that who comes back before anything changed misses nothing; then summaries, each with its time of activity
    /// in microseconds as its id. Who comes back may be told again what changed just before it left.
    /// </returns>
    public async IAsyncEnumerable<EventFrame> WatchAsync(string accountId, long? after, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var told = new Dictionary<string, (long Version, DateTimeOffset UpdatedAt)>(StringComparer.Ordinal);
        var known = after is { } id ? DateTimeOffset.UnixEpoch.AddMicroseconds(id) : time.GetUtcNow();
        if (after is null)
        {
            await foreach (var session in ReadAsync(accountId, known - Overlap, cancellationToken))
            {
                told[session.SessionId] = (session.Version, session.UpdatedAt);
            }
        }

        yield return AccountFrames.Ready(known);
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            await foreach (var session in ReadAsync(accountId, known - Overlap, cancellationToken))
            {
                if (told.TryGetValue(session.SessionId, out var earlier) && earlier.Version >= session.Version)
                {
                    continue;
                }

                told[session.SessionId] = (session.Version, session.UpdatedAt);
                known = session.UpdatedAt > known ? session.UpdatedAt : known;
                yield return AccountFrames.Of(session, known);
            }

            foreach (var (sessionId, (_, updatedAt)) in told)
            {
                if (updatedAt < known - Overlap)
                {
                    told.Remove(sessionId);
                }
            }
        }
    }

    private async IAsyncEnumerable<SessionRecord> ReadAsync(
        string accountId, DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var place = new SessionCursor(since, SessionId: "");
        while (true)
        {
            var page = await Caller.Recall(cluster).ListChangedAsync(accountId, place, PageSessions, cancellationToken);
            foreach (var session in page)
            {
                yield return session;
            }

            if (page.Length < PageSessions)
            {
                yield break;
            }

            place = new SessionCursor(page[^1].UpdatedAt, page[^1].SessionId);
        }
    }
}
