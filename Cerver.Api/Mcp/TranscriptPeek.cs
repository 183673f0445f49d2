using System.Globalization;
using System.Text;
using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Api.Sessions;
using Cerver.Api.Sessions.Exports;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Mcp;

/// <summary>A few entries of a transcript, each cut to a length that leaves room for the others.</summary>
internal sealed class TranscriptPeek
{
    private const int MaxContentBytes = 12_000;
    private const int MaxInputBytes = 4_000;

    /// <summary>What stands around an entry.</summary>
    private const int OverheadBytes = 300;

    private static readonly TranscriptFormat Format = TranscriptFormat.Of(TranscriptFormat.Text);

    private readonly SessionRecord _session;
    private readonly long _first;
    private readonly List<TranscriptEntry> _entries;
    private readonly PeekCursor? _next;

    private TranscriptPeek(SessionRecord session, PeekCursor cursor, long first, List<TranscriptEntry> entries)
    {
        var (skip, count) = Fit(entries, cursor.IsBackward);
        _session = session;
        _first = first + skip;
        _entries = entries.GetRange(skip, count);
        var end = _first + count;
        _next = cursor.IsBackward
            ? _first > 0 ? PeekCursor.Before(_first) : null
            : end < session.TranscriptTotal ? PeekCursor.From(end) : null;
    }

    /// <summary>What is to be said beside the entries, or null.</summary>
    public string? Note => _next is not { } next ? null
        : $"[Cerver: there are {(next.IsBackward ? "earlier" : "later")} entries. Call cerver_session_peek again with cursor \"{next}\".]";

    /// <summary>The entries for people and models.</summary>
    public string Text
    {
        get
        {
            using var text = new PooledBuffer();
            text.WriteText(string.Create(CultureInfo.InvariantCulture, $"Session {_session.SessionId} ("));
            text.WriteWord(_session.SessionName);
            text.WriteText(string.Create(
                CultureInfo.InvariantCulture,
                $"), {StatusWords.Of(_session.Status)}, {_session.TranscriptTotal} entries{(_entries.Count == 0 ? "; none here." : $"; here are [{_first}] to [{_first + _entries.Count - 1}].")}\n"));
            for (var index = 0; index < _entries.Count; index++)
            {
                Format.WriteEntry(text, _first + index, _entries[index]);
            }

            return Encoding.UTF8.GetString(text.Written.Span);
        }
    }

    /// <summary>Looks into a transcript.</summary>
    /// <param name="cursor">Where.</param>
    /// <param name="count">How many entries are wanted.</param>
    /// <param name="readPage">Reads a slice of the transcript.</param>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for a position that the transcript does not have.</exception>
    public static async Task<TranscriptPeek> ReadAsync(PeekCursor cursor, int count, Func<TranscriptSlice, Task<SessionPage>> readPage)
    {
        var slice = cursor switch
        {
            { Index: null } => new TranscriptSlice(Tail: count),
            { IsBackward: true, Index: { } before } => new TranscriptSlice(Since: Math.Max(0, before - count)),
            { Index: { } from } => new TranscriptSlice(Since: from),
        };
        var page = await readPage(slice);
        var (session, total) = (page.Session, page.Session.TranscriptTotal);
        if (cursor.Index > total)
        {
            throw new CerverException(CerverError.InvalidRequest, $"The transcript has {total} entries, so there is nothing at {cursor.Index}.", "cursor");
        }

        var first = page.Entries.IsEmpty ? Math.Min(slice.Since ?? total, total) : page.First;
        var end = cursor is { IsBackward: true, Index: { } last } ? last : Math.Min(total, first + count);
        var entries = new List<TranscriptEntry>();
        while (true)
        {
            foreach (var entry in page.Entries)
            {
                if (first + entries.Count < end)
                {
                    entries.Add(Cut(entry, first + entries.Count));
                }
            }

            if (first + entries.Count >= end)
            {
                return new(session, cursor, first, entries);
            }

            page = await readPage(new TranscriptSlice(Since: first + entries.Count));
            if (page.Entries.IsEmpty)
            {
                throw new InvalidOperationException($"The transcript has no entry at position {first + entries.Count}.");
            }
        }
    }

    /// <summary>Writes the entries for programs.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("session_id"u8, _session.SessionId);
        writer.WriteString("session_name"u8, _session.SessionName);
        writer.WriteString("status"u8, StatusWords.Of(_session.Status));
        writer.WriteNumber("transcript_total"u8, _session.TranscriptTotal);
        writer.WriteStartArray("entries"u8);
        for (var index = 0; index < _entries.Count; index++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, _first + index);
            EntryWriter.WriteMembers(writer, _entries[index]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("next_cursor"u8, _next?.ToString());
        writer.WriteEndObject();
    }

    /// <summary>What is left out is still to be had, by the position that is named instead.</summary>
    private static TranscriptEntry Cut(TranscriptEntry entry, long position)
    {
        var content = entry.Content ?? "";
        var length = ToolAnswer.FittingLength(content, MaxContentBytes);
        var hasLongInput = entry.ToolInput is { } input && ToolAnswer.FittingLength(input, MaxInputBytes) < input.Length;
        if (length == content.Length && !hasLongInput)
        {
            return entry;
        }

        var rest = (content.Length - length, hasLongInput) switch
        {
            (0, _) => "The tool's input",
            (var left, false) => string.Create(CultureInfo.InvariantCulture, $"The rest, {left} characters,"),
            (var left, _) => string.Create(CultureInfo.InvariantCulture, $"The rest, {left} characters, and the tool's input"),
        };
        return entry with
        {
            Content = string.Create(
                CultureInfo.InvariantCulture,
                $"{content.AsSpan(0, length)}\n[Cerver: too long to show here. {rest} can be read with cerver_session_export and cursor \"{position}\".]"),
            ToolInput = hasLongInput ? null : entry.ToolInput,
        };
    }

    /// <summary>Which of the entries fit into an answer: those where the looking begins, and one at least.</summary>
    private static (int Skip, int Count) Fit(List<TranscriptEntry> entries, bool isBackward)
    {
        var (count, bytes) = (0, 0);
        while (count < entries.Count)
        {
            var entry = entries[isBackward ? entries.Count - 1 - count : count];
            bytes += OverheadBytes + Encoding.UTF8.GetByteCount(entry.Content ?? "") + Encoding.UTF8.GetByteCount(entry.ToolInput ?? "");
            if (bytes > ToolAnswer.MaxListBytes && count > 0)
            {
                break;
            }

            count++;
        }

        return (isBackward ? entries.Count - count : 0, count);
    }
}
