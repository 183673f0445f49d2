using Cerver.Errors;
using Cerver.Grains.Upkeep;
using Cerver.Sessions;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Search;

/// <summary>Indexes what was said before there was an index, the newest sessions first. Any number of processes may do it at once: a part is indexed by one of them.</summary>
internal sealed class SearchBacklog(ISearchBacklogStore store, IOptions<SearchOptions> options) : IUpkeep
{
    /// <summary>Goes on until nothing is left, or there is no index.</summary>
    /// <exception cref="CerverException">The database failed; what is left is left to the next time.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (options.Value.Enabled && await store.ReadNextAsync(cancellationToken) is { } part)
        {
            await store.IndexAsync(part, SearchDocument.Of(part.AccountId, part.SessionId, part.First, part.Entries), cancellationToken);
        }
    }
}

/// <summary>What was said and is not in the index. Every failure is a <see cref="CerverException"/>.</summary>
internal interface ISearchBacklogStore
{
    /// <summary>The part to index next: at most 500 entries and not much more than 1 MiB; null when there is none.</summary>
    Task<SearchBacklogPart?> ReadNextAsync(CancellationToken cancellationToken);

    /// <summary>Indexes a part and notes it, in one transaction. Does nothing when somebody else did, or the session is gone.</summary>
    Task IndexAsync(SearchBacklogPart part, ImmutableArray<SearchDocument> documents, CancellationToken cancellationToken);
}

/// <summary>Entries that are not in the index.</summary>
/// <param name="AccountId">Whose they are.</param>
/// <param name="SessionId">The session they are in.</param>
/// <param name="First">The position of the first one.</param>
/// <param name="Entries">The entries; none when the rest of the session is gone.</param>
internal sealed record SearchBacklogPart(string AccountId, string SessionId, long First, ImmutableArray<TranscriptEntry> Entries)
{
    /// <summary>How many entries at most.</summary>
    public const int MaxEntries = 500;
}
