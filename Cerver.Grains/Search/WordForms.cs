namespace Cerver.Grains.Search;

/// <summary>
/// The forms in which a word of English stands in texts: <c>fail</c>, <c>fails</c>, <c>failed</c>, <c>failing</c>. Some of them may be no words, which finds nothing. Pure.
/// </summary>
internal static class WordForms
{
    /// <summary>Shorter words are mostly names and abbreviations.</summary>
    private const int MinLetters = 4;

    /// <summary>The word and its other forms.</summary>
    /// <param name="word">Folded, see <see cref="LetterFolding"/>.</param>
    public static IReadOnlyList<string> Of(string word) =>
        word.Length < MinLetters || !word.All(char.IsAsciiLetterLower) ? [word] : [.. BasesOf(word).SelectMany(FormsOf).Prepend(word).Distinct(StringComparer.Ordinal)];

    private static IEnumerable<string> BasesOf(string word) => word switch
    {
        [.., 'i', 'e', 's'] or [.., 'i', 'e', 'd'] => [word[..^3] + "y"],
        [_, _, _, .., 'i', 'n', 'g'] => BasesOfVerb(word[..^3]),
        [_, _, .., 'e', 'd'] => BasesOfVerb(word[..^2]),
        [.., 's' or 'u' or 'i', 's'] => [word],
        [.., 's' or 'x' or 'z' or 'h', 'e', 's'] => [word[..^2], word[..^1]],
        [.., 's'] => [word[..^1]],
        _ => [word],
    };

    private static IEnumerable<string> BasesOfVerb(string stem) =>
        stem is [.., var before, var last] && before == last && last is not ('l' or 's' or 'z' or 'e') ? [stem, stem[..^1]] : [stem, stem + "e"];

    private static IEnumerable<string> FormsOf(string word) => word switch
    {
        [.., 'e'] => [word, word + "s", word + "d", word[..^1] + "ing"],
        [.., not ('a' or 'e' or 'o' or 'u'), 'y'] => [word, word[..^1] + "ies", word[..^1] + "ied", word + "ing"],
        [.., 's' or 'x' or 'z'] or [.., 'c' or 's', 'h'] => [word, word + "es", word + "ed", word + "ing"],
        _ => [word, word + "s", word + "ed", word + "ing"],
    };
}
