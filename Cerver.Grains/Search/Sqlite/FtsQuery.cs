namespace Cerver.Grains.Search.Sqlite;

/// <summary>Queries as FTS5 reads them. Words are letters and digits only, so nothing in them needs care. Pure.</summary>
internal static class FtsQuery
{
    /// <summary>The text of a query.</summary>
    /// <param name="query">What to look for.</param>
    /// <param name="prefix">The account's, see <see cref="SearchMarks.PrefixOf"/>.</param>
    /// <param name="marks">Of each of these groups an entry must have one.</param>
    public static string Write(SearchQuery query, string prefix, IEnumerable<IReadOnlyList<string>> marks)
    {
        var required = query.Required.Select(group => $"{{words wholes}} : {Any(group.SelectMany(term => Forms(term, prefix)))}")
            .Concat(marks.Select(static group => $"marks : {Any(group.Select(static mark => $"\"{mark}\""))}"));
        var text = $"({string.Join(" AND ", required)})";
        return query.Excluded.IsEmpty ? text : $"{text} NOT {{words wholes}} : {Any(query.Excluded.SelectMany(term => Forms(term, prefix)))}";
    }

    private static IEnumerable<string> Forms(SearchTerm term, string prefix)
    {
        var ending = term.IsPrefix ? " *" : "";
        yield return $"\"{string.Join(' ', term.Words.Select(word => prefix + word))}\"{ending}";
        if (term.Whole is { } whole)
        {
            yield return $"\"{prefix}{whole}\"{ending}";
        }
    }

    private static string Any(IEnumerable<string> forms) => $"({string.Join(" OR ", forms)})";
}
