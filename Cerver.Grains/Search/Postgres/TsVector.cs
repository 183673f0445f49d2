using System.Globalization;
using System.Text;

namespace Cerver.Grains.Search.Postgres;

/// <summary>Documents as PostgreSQL reads them. Words are letters and digits only, so nothing in them needs care. Pure.</summary>
internal static class TsVector
{
    /// <summary>What marks begin with, and no word does.</summary>
    public const char MarkSign = '#';

    /// <summary>The text of a <c>tsvector</c>: the words with their positions, and the marks.</summary>
    /// <param name="document">The document.</param>
    /// <param name="prefix">The account's, see <see cref="SearchMarks.PrefixOf"/>.</param>
    public static string Write(SearchDocument document, string prefix)
    {
        var text = new StringBuilder(document.Words.Count * 16);
        foreach (var word in document.Words)
        {
            text.Append(prefix).Append(word.Text).Append(CultureInfo.InvariantCulture, $":{word.Position} ");
        }

        foreach (var mark in document.Marks)
        {
            text.Append(MarkSign).Append(mark).Append(' ');
        }

        return text.ToString();
    }
}
