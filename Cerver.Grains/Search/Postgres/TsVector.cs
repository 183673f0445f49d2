using System.Globalization;
using System.Text;

namespace Cerver.Grains.Search.Postgres;

/// <summary>Documents as PostgreSQL reads them. Words are letters and digits only, so nothing in them needs care. Pure.</summary>
internal static class TsVector
{
    /// <summary>What marks begin with, and no word does.</summary>
    public const char MarkSign = '#';

    /// <summary>The text of a <c>tsvector</c>: the words with their positions, and identifiers as wholes and marks without, because they are in no phrase.</summary>
    public static string Write(SearchDocument document)
    {
        var text = new StringBuilder(document.Words.Length + document.Wholes.Length + (document.Length * 4) + 100);
        var position = 0;
        foreach (var word in document.Words.AsSpan().TrimEnd(' ').Split(' '))
        {
            text.Append(document.Words.AsSpan(word)).Append(CultureInfo.InvariantCulture, $":{++position} ");
        }

        text.Append(document.Wholes);
        foreach (var mark in document.Marks.AsSpan().TrimEnd(' ').Split(' '))
        {
            text.Append(MarkSign).Append(document.Marks.AsSpan(mark)).Append(' ');
        }

        return text.ToString();
    }
}
