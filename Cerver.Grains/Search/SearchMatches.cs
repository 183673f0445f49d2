using System.Runtime.InteropServices;

namespace Cerver.Grains.Search;

/// <summary>Where in a text the terms of a query stand.</summary>
/// <param name="Words">How many words the text has.</param>
/// <param name="Found">Every occurrence, in the order of the text.</param>
internal sealed record SearchMatches(int Words, IReadOnlyList<SearchMatch> Found)
{
    /// <summary>Looks for what a query wants.</summary>
    /// <param name="text">The text.</param>
    /// <param name="query">The query.</param>
    /// <param name="maxWords">How many words of the text to look at.</param>
    public static SearchMatches In(string text, SearchQuery query, int maxWords)
    {
        var all = WordReader.Read(text, maxWords);
        var words = all.Where(static word => !word.IsWhole).ToList();
        var found = new List<SearchMatch>();
        var singles = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var group = 0; group < query.Required.Length; group++)
        {
            foreach (var term in query.Required[group])
            {
                // Most terms are one word, and of these there may be many: a text is gone through once for all of them.
                if (term is { Words: [var only], Whole: null, IsPrefix: false } && singles.TryAdd(only, group))
                {
                    continue;
                }

                AddPhrases(found, words, term, group);
                var wanted = term.Whole ?? (term.Words is [var word] ? word : null);
                if (wanted is not null)
                {
                    found.AddRange(all.Where(whole => whole.IsWhole && Fits(whole.Text, wanted, term.IsPrefix)).Select(whole => new SearchMatch(group, whole.Position, whole.Start, whole.Length)));
                }
            }
        }

        found.AddRange(all.Where(word => singles.ContainsKey(word.Text)).Select(word => new SearchMatch(singles[word.Text], word.Position, word.Start, word.Length)));
        found.Sort(static (left, right) => left.Start != right.Start ? left.Start.CompareTo(right.Start) : right.Length.CompareTo(left.Length));
        return new SearchMatches(words.Count, found);
    }

    private static void AddPhrases(List<SearchMatch> found, List<Word> words, SearchTerm term, int group)
    {
        for (var at = 0; at + term.Words.Length <= words.Count; at++)
        {
            if (StandsAt(words, at, term))
            {
                var last = words[at + term.Words.Length - 1];
                found.Add(new SearchMatch(group, words[at].Position, words[at].Start, last.Start + last.Length - words[at].Start));
            }
        }
    }

    private static bool StandsAt(List<Word> words, int at, SearchTerm term)
    {
        for (var i = 0; i < term.Words.Length; i++)
        {
            if (!Fits(words[at + i].Text, term.Words[i], term.IsPrefix && i == term.Words.Length - 1))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Fits(string word, string wanted, bool isPrefix) =>
        isPrefix ? word.StartsWith(wanted, StringComparison.Ordinal) : string.Equals(word, wanted, StringComparison.Ordinal);
}

/// <summary>An occurrence of a term.</summary>
/// <param name="Group">Which of the query's groups it belongs to.</param>
/// <param name="Position">The number of its first word.</param>
/// <param name="Start">Where it begins in the text, in characters.</param>
/// <param name="Length">How many characters it is.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SearchMatch(int Group, int Position, int Start, int Length);
