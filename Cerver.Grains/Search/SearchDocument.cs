using System.Text;
using Cerver.Grains.Storage;
using Cerver.Sessions;

namespace Cerver.Grains.Search;

/// <summary>What the index knows of an entry. Its texts are made at once and are about as long as the entry's: an append may have a million words.</summary>
/// <param name="Position">The entry's position in its session.</param>
/// <param name="At">When it was said, in microseconds since 1970.</param>
/// <param name="Role">Who said it.</param>
/// <param name="Length">How many words it has, at most 16,000; what is beyond is not searched.</param>
/// <param name="Words">Its words in order, each with the prefix of the account before it and a space after it.</param>
/// <param name="Wholes">Its identifiers as wholes, written in the same way.</param>
/// <param name="Marks">Its marks, see <see cref="SearchMarks"/>, with a space after each.</param>
internal sealed record SearchDocument(long Position, long At, EntryRole Role, int Length, string Words, string Wholes, string Marks)
{
    /// <summary>PostgreSQL counts positions up to 16,383.</summary>
    private const int MaxWords = 16_000;

    /// <summary>And it takes 1 MiB of words in a vector.</summary>
    private const int MaxWordBytes = 600_000;

    /// <summary>The documents of entries that have words.</summary>
    /// <param name="session">The session after the entries were added.</param>
    /// <param name="entries">The entries; the last one is the last of the transcript.</param>
    public static ImmutableArray<SearchDocument> Of(SessionRecord session, ImmutableArray<TranscriptEntry> entries) =>
        entries.IsEmpty ? [] : Of(session.AccountId, session.SessionId, session.TranscriptTotal - entries.Length, entries);

    /// <summary>The documents of entries that have words.</summary>
    /// <param name="accountId">Whose they are.</param>
    /// <param name="sessionId">The session they are in.</param>
    /// <param name="first">The position of the first one.</param>
    /// <param name="entries">The entries.</param>
    public static ImmutableArray<SearchDocument> Of(string accountId, string sessionId, long first, ImmutableArray<TranscriptEntry> entries)
    {
        var prefix = SearchMarks.PrefixOf(accountId);
        var documents = ImmutableArray.CreateBuilder<SearchDocument>(entries.Length);
        for (var i = 0; i < entries.Length; i++)
        {
            if (Of(prefix, sessionId, first + i, entries[i]) is { } document)
            {
                documents.Add(document);
            }
        }

        return documents.DrainToImmutable();
    }

    private static SearchDocument? Of(string prefix, string sessionId, long position, TranscriptEntry entry)
    {
        var words = WordReader.Read(SearchText.Of(entry), MaxWords);
        var bytes = 0;
        if (words.FindIndex(word => (bytes += Encoding.UTF8.GetByteCount(word.Text)) > MaxWordBytes) is var cut and > 0)
        {
            words.RemoveRange(cut, words.Count - cut);
        }

        if (words.Count == 0)
        {
            return null;
        }

        var at = UnixMicroseconds.From(entry.At!.Value);
        var length = words[^1].IsWhole ? words[^2].Position : words[^1].Position;
        var marks = string.Join(' ', SearchMarks.Of(sessionId, entry.Role, entry.Kind, at)) + " ";
        return new SearchDocument(position, at, entry.Role, length, Write(words, prefix, wholes: false), Write(words, prefix, wholes: true), marks);
    }

    private static string Write(List<Word> words, string prefix, bool wholes)
    {
        var text = new StringBuilder(wholes ? 0 : words.Count * 12);
        foreach (var word in words)
        {
            if (word.IsWhole == wholes)
            {
                text.Append(prefix).Append(word.Text).Append(' ');
            }
        }

        return text.ToString();
    }
}
