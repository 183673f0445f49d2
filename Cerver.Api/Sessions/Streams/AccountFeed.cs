using System.Runtime.CompilerServices;
using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>Reads the summaries of an account's sessions as they change.</summary>
/// <remarks>
/// A summary is a state and not a fact of a log: of many changes in a moment the last one counts. So nobody tells of changes, and writers pay nothing for those who
/// watch; each watcher asks the index of changes, which ends where a change with a lower number may still come.
/// </remarks>
internal sealed class AccountFeed(IClusterClient cluster, GrainCalls calls, TimeProvider time)
{
    private const int PageSessions = 100;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>The account's sessions as they change, until the watcher goes away.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="after">The id of the last event that was seen; null begins now.</param>
    /// <param name="cancellationToken">The watcher goes away.</param>
    /// <returns>
    /// First where the watching begins, so that who comes back before anything changed misses nothing; then each session that changed, with the number of its last
    /// change as the id.
    /// </returns>
    public async IAsyncEnumerable<EventFrame> WatchAsync(string accountId, long? after, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var head = (await ListAsync(accountId, after: long.MaxValue, limit: 1, cancellationToken)).Head;

        // An id from beyond is one whose session was erased since, or was made up.
        var known = Math.Min(after ?? head, head);
        yield return AccountFrames.Ready(known);
        using var timer = new PeriodicTimer(Interval, time);
        while (true)
        {
            var page = await ListAsync(accountId, known, PageSessions, cancellationToken);
            foreach (var changed in page.Sessions)
            {
                known = changed.Change;
                yield return AccountFrames.Of(changed);
            }

            if (page.Sessions.Length < PageSessions)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
    }

    private Task<ChangedSessions> ListAsync(string accountId, long after, int limit, CancellationToken cancellationToken) => calls.ReadAsync(
        (Recall: Caller.Recall(cluster), accountId, after, limit),
        static (call, token) => call.Recall.ListChangedAsync(call.accountId, call.after, call.limit, token),
        cancellationToken);
}
