using System.Text;

namespace Cerver.Grains.Search.Postgres;

/// <summary>Queries as PostgreSQL reads them. Words are letters and digits only, so nothing in them needs care. Pure.</summary>
internal static class TsQuery
{
    /// <summary>The text of a <c>tsquery</c>.</summary>
    /// <param name="query">What to look for.</param>
    /// <param name="prefix">The account's, see <see cref="SearchMarks.PrefixOf"/>.</param>
    public static string OfWords(SearchQuery query, string prefix) => string.Join(
        " & ",
        query.Required.Select(group => Any(group.SelectMany(term => Forms(term, prefix)))).Concat(query.Excluded.Select(term => "!" + Any(Forms(term, prefix)))));

    /// <summary>The text of a <c>tsquery</c> for all that has a mark of each group.</summary>
    public static string OfMarks(IEnumerable<IReadOnlyList<string>> groups) => string.Join(" & ", groups.Select(static group => Any(group.Select(OfMark))));

    /// <summary>The text of a <c>tsquery</c> for all that has a mark.</summary>
    public static string OfMark(string mark) => $"'{TsVector.MarkSign}{mark}'";

    private static IEnumerable<string> Forms(SearchTerm term, string prefix)
    {
        var phrase = new StringBuilder();
        foreach (var word in term.Words)
        {
            phrase.Append(phrase.Length == 0 ? "" : " <-> ").Append('\'').Append(prefix).Append(word).Append('\'');
        }

        yield return $"({phrase}{Ending(term)})";
        if (term.Whole is { } whole)
        {
            yield return $"'{prefix}{whole}'{Ending(term)}";
        }
    }

    private static string Ending(SearchTerm term) => term.IsPrefix ? ":*" : "";

    private static string Any(IEnumerable<string> forms) => $"({string.Join(" | ", forms)})";
}
