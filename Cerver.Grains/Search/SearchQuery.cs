namespace Cerver.Grains.Search;

/// <summary>What somebody looks for, taken apart.</summary>
/// <param name="Required">Of each group at least one term must be there; at least one group.</param>
/// <param name="Excluded">None of these may be there.</param>
internal sealed record SearchQuery(ImmutableArray<ImmutableArray<SearchTerm>> Required, ImmutableArray<SearchTerm> Excluded)
{
    /// <summary>The terms of which something must be there.</summary>
    public IEnumerable<SearchTerm> Wanted => Required.SelectMany(static group => group);

    /// <summary>The same, but for one of the terms alone.</summary>
    public SearchQuery Only(SearchTerm term) => this with { Required = [[term]] };
}
