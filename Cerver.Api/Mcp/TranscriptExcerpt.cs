using System.Buffers;
using System.Globalization;
using System.Text;
using Cerver.Api.Answers;
using Cerver.Api.Sessions.Exports;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Mcp;

/// <summary>
/// A transcript as the text that the export is, in pieces of one answer each. Put together they are that text. A piece ends between two entries, or within one that
/// does not fit into any.
/// </summary>
internal static class TranscriptExcerpt
{
    private const byte ContinuationMask = 0b1100_0000;
    private const byte Continuation = 0b1000_0000;

    private static readonly TranscriptFormat Format = TranscriptFormat.Of(TranscriptFormat.Text);

    /// <summary>The piece at a place, and what is to be said beside it, or null at the end.</summary>
    /// <param name="cursor">The place; null is the beginning.</param>
    /// <param name="readPage">Reads a slice of the transcript.</param>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for a place that the transcript does not have.</exception>
    public static async Task<(string Text, string? Note)> ReadAsync(ExportCursor? cursor, Func<TranscriptSlice, Task<SessionPage>> readPage)
    {
        var from = cursor ?? default;
        var page = await readPage(new TranscriptSlice(Since: from.Index));
        var total = page.Session.TranscriptTotal;
        if (from.Index > total)
        {
            throw Refuse(total, from);
        }

        using var text = new PooledBuffer();
        using var entryText = new PooledBuffer();
        if (cursor is null)
        {
            Format.WriteHead(text, page.Session);
        }

        for (var (position, skip) = from; position < total; (position, skip) = (position + 1, 0))
        {
            if (position == page.First + page.Entries.Length)
            {
                page = await readPage(new TranscriptSlice(Since: position));
            }

            entryText.Clear();
            Format.WriteEntry(entryText, position, page.Entries[(int)(position - page.First)]);
            if (skip >= entryText.Length)
            {
                throw Refuse(total, from);
            }

            skip = ToBoundary(entryText.Written.Span, skip);
            var rest = entryText.Written[skip..];
            var room = ToolAnswer.MaxTextBytes - text.Length;
            if (rest.Length <= room)
            {
                text.Write(rest.Span);
                continue;
            }

            // An entry that fits into an answer by itself is not cut.
            if (rest.Length > ToolAnswer.MaxTextBytes)
            {
                var cut = ToBoundary(rest.Span, room);
                text.Write(rest.Span[..cut]);
                skip += cut;
            }

            return (Encoding.UTF8.GetString(text.Written.Span), NoteOf(new ExportCursor(position, skip), total));
        }

        return (Encoding.UTF8.GetString(text.Written.Span), null);
    }

    /// <summary>The place, or the next before it where a character begins.</summary>
    private static int ToBoundary(ReadOnlySpan<byte> text, int place)
    {
        while (place < text.Length && (text[place] & ContinuationMask) == Continuation)
        {
            place--;
        }

        return place;
    }

    private static string NoteOf(ExportCursor next, long total) => string.Create(
        CultureInfo.InvariantCulture,
        $"[Cerver: this is not the end. {(next.Skip > 0 ? $"Entry {next.Index} goes on" : $"Entry {next.Index} follows")}; the transcript has {total} entries. Call cerver_session_export again with cursor \"{next}\".]");

    private static CerverException Refuse(long total, ExportCursor cursor) => new(
        CerverError.InvalidRequest, $"There is nothing at '{cursor}': the transcript has {total} entries. 'cursor' is what an answer before named, or the index of an entry.", "cursor");
}
