using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>The read that several routes make.</summary>
internal static class SessionReads
{
    /// <summary>A session's record and a slice of its transcript.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    public static Task<SessionPage> ReadSessionAsync(
        this GrainCalls calls, IClusterClient cluster, string accountId, string sessionId, TranscriptSlice slice, CancellationToken cancellationToken) => calls.ReadAsync(
        (Recall: Caller.Recall(cluster), accountId, sessionId, slice),
        static (call, token) => call.Recall.ReadSessionAsync(call.accountId, call.sessionId, call.slice, token),
        cancellationToken);
}
