using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>
/// A session's record and a part of its transcript of any length, in the memory of one page. An answer of one page goes out in one write
/// with its length; a longer one page by page, up to the total that its first page named, so that the total it says stays true while others
/// append.
/// </summary>
/// <param name="first">The record and the first page.</param>
/// <param name="readPage">Reads the page that begins at a position.</param>
internal sealed class TranscriptAnswer(SessionPage first, Func<long, Task<SessionPage>> readPage) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        using var buffer = new PooledBuffer();
        await using var writer = new Utf8JsonWriter(buffer, JsonAnswer.WriterOptions);
        response.ContentType = JsonAnswer.ContentType;

        writer.WriteStartObject();
        SessionFields.WriteMembers(writer, first.Session);
        writer.WriteStartArray("transcript"u8);
        var position = WriteEntries(writer, first, first.First);
        while (position < first.Session.TranscriptTotal && !first.Entries.IsEmpty)
        {
            await writer.FlushAsync();
            await response.BodyWriter.WriteAsync(buffer.Written, httpContext.RequestAborted);
            buffer.Clear();
            position = WriteEntries(writer, await readPage(position), position);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        await writer.FlushAsync();
        if (!response.HasStarted)
        {
            response.ContentLength = buffer.Length;
        }

        await response.BodyWriter.WriteAsync(buffer.Written, httpContext.RequestAborted);
    }

    /// <summary>Writes a page, and gives the position after its last entry.</summary>
    private long WriteEntries(Utf8JsonWriter writer, SessionPage page, long position)
    {
        if (page.First != position || (page.Entries.IsEmpty && !ReferenceEquals(page, first)))
        {
            throw new InvalidOperationException($"The transcript has no entry at position {position}.");
        }

        var count = (int)Math.Clamp(first.Session.TranscriptTotal - position, 0, page.Entries.Length);
        foreach (var entry in page.Entries.AsSpan()[..count])
        {
            EntryWriter.Write(writer, entry);
        }

        return position + count;
    }
}
