using System.Text;

namespace Cerver.Grains.Search;

/// <summary>The part of a text that shows best why it was found, with what matched marked. Pure.</summary>
internal static class Snippet
{
    private const int Characters = 240;
    private const int MaxCharacters = 400;
    private const int Before = 60;
    private const string Mark = "**";
    private const char Cut = '…';

    /// <summary>The part of a text with the most of what was looked for, on one line.</summary>
    /// <returns>At most 400 characters. What matched stands between <c>**</c> and <c>**</c>.</returns>
    public static string Of(string text, SearchMatches matches)
    {
        var (start, end) = PartOf(text, matches.Found);
        var snippet = new StringBuilder(MaxCharacters);
        if (start > 0)
        {
            snippet.Append(Cut);
        }

        var at = start;
        foreach (var match in matches.Found)
        {
            // Of matches that overlap the first and longest one is marked. A mark is never cut off.
            if (match.Start < at || match.Start + match.Length > end || snippet.Length + (match.Start - at) + match.Length + (2 * Mark.Length) > MaxCharacters - 1)
            {
                continue;
            }

            Append(snippet, text.AsSpan(at..match.Start));
            snippet.Append(Mark);
            Append(snippet, text.AsSpan(match.Start, match.Length));
            snippet.Append(Mark);
            at = match.Start + match.Length;
        }

        var rest = Math.Min(end, at + Math.Max(0, MaxCharacters - 1 - snippet.Length));
        Append(snippet, text.AsSpan(at..rest));
        return end < text.Length ? snippet.ToString().TrimEnd() + Cut : snippet.ToString().Trim();
    }

    /// <summary>The part that begins a little before a match and has the most different terms in it; the first of those.</summary>
    private static (int Start, int End) PartOf(string text, IReadOnlyList<SearchMatch> matches)
    {
        var best = 0;
        var bestTerms = 0;
        var terms = new HashSet<int>();
        for (var first = 0; first < matches.Count; first++)
        {
            terms.Clear();
            for (var next = first; next < matches.Count && matches[next].Start + matches[next].Length <= matches[first].Start + Characters - Before; next++)
            {
                terms.Add(matches[next].Group);
            }

            if (terms.Count > bestTerms)
            {
                (best, bestTerms) = (first, terms.Count);
            }
        }

        var around = matches.Count == 0 ? 0 : matches[best].Start;
        var start = WordStart(text, Math.Max(0, Math.Min(around - Before, text.Length - Characters)), around);
        return (start, WordEnd(text, Math.Min(text.Length, start + Characters)));
    }

    /// <summary>The beginning of the first word from a place on, or the place itself when there is none soon.</summary>
    private static int WordStart(string text, int place, int limit)
    {
        if (place == 0)
        {
            return 0;
        }

        for (var at = place; at < Math.Min(limit, place + 20); at++)
        {
            if (char.IsWhiteSpace(text[at - 1]))
            {
                return at;
            }
        }

        return char.IsLowSurrogate(text[place]) ? place + 1 : place;
    }

    private static int WordEnd(string text, int place)
    {
        for (var at = place; at > place - 20 && at > 0; at--)
        {
            if (at == text.Length || char.IsWhiteSpace(text[at]))
            {
                return at;
            }
        }

        return char.IsLowSurrogate(text[place]) ? place - 1 : place;
    }

    /// <summary>Adds a part of the text; line ends and other white space are one space.</summary>
    private static void Append(StringBuilder snippet, ReadOnlySpan<char> text)
    {
        foreach (var character in text)
        {
            var isSpace = char.IsWhiteSpace(character) || char.IsControl(character);
            if (!isSpace)
            {
                snippet.Append(character);
            }
            else if (snippet.Length > 0 && snippet[^1] != ' ')
            {
                snippet.Append(' ');
            }
        }
    }
}
