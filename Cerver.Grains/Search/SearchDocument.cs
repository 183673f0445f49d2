using System.Text;
using Cerver.Grains.Storage;
using Cerver.Sessions;

namespace Cerver.Grains.Search;

/// <summary>What the index knows of an entry.</summary>
/// <param name="Position">The entry's position in its session.</param>
/// <param name="At">When it was said, in microseconds since 1970.</param>
/// <param name="Role">Who said it.</param>
/// <param name="Length">How many words it has, at most 16,000; what is beyond is not searched.</param>
/// <param name="Words">Its words, in order.</param>
/// <param name="Marks">See <see cref="SearchMarks"/>.</param>
internal sealed record SearchDocument(long Position, long At, EntryRole Role, int Length, IReadOnlyList<Word> Words, IReadOnlyList<string> Marks)
{
    /// <summary>PostgreSQL counts positions up to 16,383.</summary>
    private const int MaxWords = 16_000;

    /// <summary>And it takes 1 MiB of words in a vector.</summary>
    private const int MaxWordBytes = 600_000;

    /// <summary>The documents of entries that have words.</summary>
    /// <param name="session">The session after the entries were added.</param>
    /// <param name="entries">The entries; the last one is the last of the transcript.</param>
    public static ImmutableArray<SearchDocument> Of(SessionRecord session, ImmutableArray<TranscriptEntry> entries)
    {
        if (entries.IsEmpty)
        {
            return [];
        }

        var documents = ImmutableArray.CreateBuilder<SearchDocument>(entries.Length);
        var position = session.TranscriptTotal - entries.Length;
        foreach (var entry in entries)
        {
            if (Of(session.SessionId, position++, entry) is { } document)
            {
                documents.Add(document);
            }
        }

        return documents.DrainToImmutable();
    }

    /// <summary>The document of an entry, or null when it has no word.</summary>
    public static SearchDocument? Of(string sessionId, long position, TranscriptEntry entry)
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
        return new SearchDocument(position, at, entry.Role, length, words, [.. SearchMarks.Of(sessionId, entry.Role, entry.Kind, at)]);
    }
}
