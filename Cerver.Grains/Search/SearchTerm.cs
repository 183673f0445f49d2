namespace Cerver.Grains.Search;

/// <summary>A word, a phrase or an identifier that is looked for.</summary>
/// <param name="Words">The words, which must follow each other; at least one. Folded as those of texts are.</param>
/// <param name="Whole">The words written together when they are the parts of one identifier, which is found in both forms; else null.</param>
/// <param name="IsPrefix">Whether the last word, and the whole, are the beginning of what is looked for.</param>
/// <param name="IsQuoted">Whether it stands in quotes, and is meant as it is written.</param>
internal sealed record SearchTerm(ImmutableArray<string> Words, string? Whole, bool IsPrefix, bool IsQuoted = false);
