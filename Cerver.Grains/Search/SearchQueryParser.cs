using Cerver.Errors;

namespace Cerver.Grains.Search;

/// <summary>
/// Reads what people and agents type: words, all of which must be there; <c>"phrases"</c>; <c>prefixes*</c>; <c>-words</c> that must not be there;
/// <c>OR</c> between two terms, one of which must be there. Anything else is what words are separated by, so no text is a mistake of grammar. Pure.
/// </summary>
internal static class SearchQueryParser
{
    /// <summary>The longest query, in characters.</summary>
    public const int MaxCharacters = 1_000;

    /// <summary>The most words of a query, parts of identifiers counted as words.</summary>
    public const int MaxWords = 32;

    /// <summary>The shortest prefix, in letters or digits: half the words of a language begin with one of a few letters.</summary>
    public const int MinPrefix = 3;

    private const string Field = "q";
    private const string Or = "OR";

    /// <summary>Takes a query apart.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/>; the message says what to change.</exception>
    public static SearchQuery Parse(string text)
    {
        if (text.Length > MaxCharacters)
        {
            throw Refusal($"'q' has {text.Length} characters and may have {MaxCharacters}. Look for fewer words.");
        }

        var required = new List<ImmutableArray<SearchTerm>>();
        var excluded = new List<SearchTerm>();
        var words = 0;
        var joins = false;
        foreach (var piece in PiecesOf(text))
        {
            if (piece is { Text: Or, IsQuoted: false, IsExcluded: false })
            {
                joins = required.Count > 0;
                continue;
            }

            if (TermOf(piece) is not { } term)
            {
                continue;
            }

            term = term with { IsQuoted = piece.IsQuoted };
            words += term.Words.Length;
            if (piece.IsExcluded)
            {
                excluded.Add(term);
            }
            else if (joins)
            {
                required[^1] = required[^1].Add(term);
            }
            else
            {
                required.Add([term]);
            }

            joins = false;
        }

        return words > MaxWords ? throw Refusal($"'q' has {words} words and may have {MaxWords}. Look for fewer words.")
            : required.Count == 0 ? throw Refusal("'q' has no word to look for. Write at least one word that must be there: letters or digits.")
            : new SearchQuery([.. required], [.. excluded]);
    }

    private static SearchTerm? TermOf(Piece piece)
    {
        var words = WordReader.Read(piece.Text, MaxWords + 1);
        ImmutableArray<Word> parts = [.. words.Where(static word => !word.IsWhole)];
        if (parts.IsEmpty)
        {
            return null;
        }

        // The last character of a script that is indexed in pairs stands alone here, and in the text it may go on.
        var endsInHalf = IsHalfPair(parts[^1].Text);
        var halfIsKnown = endsInHalf && parts.Length > 1 && EndOf(parts[^2]) == EndOf(parts[^1]);
        var whole = words.Find(word => word.IsWhole && word.Length == parts.Sum(static part => part.Length)).Text;
        if (piece.IsPrefix && !WordReader.IsPaired(parts[^1].Text) && parts[^1].Text.Length < MinPrefix)
        {
            return whole is { Length: >= MinPrefix } ? new SearchTerm([whole], Whole: null, IsPrefix: true) : throw Refusal($"'{parts[^1].Text}*' is too short: write at least {MinPrefix} letters before the '*'.");
        }

        return new SearchTerm(
            [.. (halfIsKnown ? parts[..^1] : parts).Select(static word => word.Text)],
            whole,
            endsInHalf ? !halfIsKnown : piece.IsPrefix);
    }

    private static int EndOf(Word word) => word.Start + word.Length;

    private static bool IsHalfPair(string word) => WordReader.IsPaired(word) && word.EnumerateRunes().Take(2).Count() == 1;

    private static IEnumerable<Piece> PiecesOf(string text)
    {
        var at = 0;
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
                continue;
            }

            // Two of them begin an option of a program, and one alone is a dash.
            var isExcluded = text[at] == '-' && at + 1 < text.Length && text[at + 1] != '-' && !char.IsWhiteSpace(text[at + 1]);
            if (isExcluded)
            {
                at++;
            }

            if (at < text.Length && text[at] == '"')
            {
                // A quote that nobody closes goes to the end.
                var close = text.IndexOf('"', at + 1);
                var end = close < 0 ? text.Length : close;
                yield return new Piece(text[(at + 1)..end], isExcluded, IsQuoted: true, IsPrefix: false);
                at = end + 1;
                continue;
            }

            var start = at;
            while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] != '"')
            {
                at++;
            }

            var piece = text[start..at];
            yield return new Piece(piece, isExcluded, IsQuoted: false, IsPrefix: piece.EndsWith('*'));
        }
    }

    private static CerverException Refusal(string message) => new(CerverError.InvalidRequest, message, Field);

    private readonly record struct Piece(string Text, bool IsExcluded, bool IsQuoted, bool IsPrefix);
}
