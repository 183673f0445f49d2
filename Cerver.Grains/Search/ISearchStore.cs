using Cerver.Errors;
using Cerver.Search;
using Cerver.Sessions;

namespace Cerver.Grains.Search;

/// <summary>The index over the entries of all sessions. What was committed is in it. Every failure is a <see cref="CerverException"/>.</summary>
internal interface ISearchStore
{
    /// <summary>Runs a search over one state of the database.</summary>
    /// <param name="scope">Where to look.</param>
    /// <param name="search">The search.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<T> SearchAsync<T>(SearchScope scope, Func<ISearchReader, Task<T>> search, CancellationToken cancellationToken);
}

/// <summary>Where to look.</summary>
/// <param name="AccountId">The account.</param>
/// <param name="Request">The criteria beside the words.</param>
internal sealed record SearchScope(string AccountId, SearchRequest Request);

/// <summary>Reads the index in one state of the database.</summary>
internal interface ISearchReader
{
    /// <summary>The number of the next entry that arrives, over all accounts. Entries are numbered in about the order in which they arrived.</summary>
    long End { get; }

    /// <summary>Entries that match, the newest first.</summary>
    /// <param name="query">What to look for.</param>
    /// <param name="from">The lowest number wanted, a multiple of <see cref="SearchMarks.BlockEntries"/>.</param>
    /// <param name="to">The number after the highest one wanted.</param>
    /// <param name="limit">How many at most.</param>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> when it takes longer than a second.</exception>
    Task<IReadOnlyList<SearchCandidate>> FindAsync(SearchQuery query, long from, long to, int limit);

    /// <summary>Entries with the names of their sessions, in no order; those that are gone are not among them.</summary>
    /// <param name="candidates">The entries.</param>
    /// <param name="maxCharacters">How much of their content and of what their tools were called with is wanted.</param>
    Task<IReadOnlyList<FoundEntry>> ReadAsync(IReadOnlyList<SearchCandidate> candidates, int maxCharacters);
}

/// <summary>An entry that matches.</summary>
/// <param name="Number">Its number among all entries.</param>
/// <param name="SessionId">The session it is in.</param>
/// <param name="Position">Its position there.</param>
/// <param name="At">When it was said, in microseconds since 1970.</param>
/// <param name="Role">Who said it.</param>
/// <param name="Length">How many words it has.</param>
internal readonly record struct SearchCandidate(long Number, string SessionId, long Position, long At, EntryRole Role, int Length);

/// <summary>An entry that was found.</summary>
/// <param name="SessionId">The session it is in.</param>
/// <param name="SessionName">The session's name.</param>
/// <param name="Position">Its position there.</param>
/// <param name="Entry">The entry, its texts cut off where they are longer than was asked for.</param>
internal sealed record FoundEntry(string SessionId, string SessionName, long Position, TranscriptEntry Entry);
