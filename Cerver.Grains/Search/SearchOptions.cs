namespace Cerver.Grains.Search;

/// <summary>The index over what was said.</summary>
internal sealed class SearchOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Search";

    /// <summary>
    /// Whether what is said is indexed and can be searched. It costs processor time for each append and about as much room as the texts; what is said while it is off
    /// is not found afterwards either. All silos of a cluster need the same.
    /// </summary>
    public bool Enabled { get; set; } = true;
}
