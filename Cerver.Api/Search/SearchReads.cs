using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Errors;
using Cerver.Search;

namespace Cerver.Api.Search;

/// <summary>The search that the route and the tool make.</summary>
internal static class SearchReads
{
    /// <summary>Searches the transcripts of an account.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> when there is nothing to look for, or it takes too long.</exception>
    public static Task<SearchPage> SearchAsync(
        this GrainCalls calls, IClusterClient cluster, string accountId, SearchRequest request, CancellationToken cancellationToken) => calls.ReadAsync(
        (Recall: Caller.Recall(cluster), accountId, request),
        static (call, token) => call.Recall.SearchAsync(call.accountId, call.request, token),
        cancellationToken);
}
