using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions.Sqlite;

/// <summary>Entries of transcripts in SQLite.</summary>
internal static class SqliteTranscript
{
    /// <summary>Adds entries, as a part of a session's change.</summary>
    /// <param name="statements">The transaction.</param>
    /// <param name="session">The record after the change.</param>
    /// <param name="entries">The entries; the last one is the last of the transcript.</param>
    /// <param name="appendId">What the last one is found by, or null.</param>
    public static void Insert(SqliteStatements statements, SessionRecord session, ImmutableArray<TranscriptEntry> entries, Guid? appendId)
    {
        var position = session.TranscriptTotal - entries.Length;
        foreach (var entry in entries)
        {
            statements.Execute(
                "Sessions/Sqlite/insert_entry.sql",
                session.SessionId,
                position,
                UnixMicroseconds.From(entry.At!.Value),
                (long)entry.Role,
                entry.Kind,
                entry.Content,
                entry.ToolId,
                entry.ToolName,
                entry.ToolInput,
                entry.IsError,
                ++position == session.TranscriptTotal ? appendId?.ToString() : null);
        }
    }

    /// <summary>How many entries there were right after an append, or null when it is not among the newest.</summary>
    public static long? FindAppend(SqliteStatements statements, string accountId, string sessionId, Guid appendId)
    {
        using var rows = statements.Query("Sessions/Sqlite/find_append.sql", accountId, sessionId, appendId.ToString(), ISessionStore.FoundAppendEntries);
        return rows.Read() ? rows.GetInt64(0) + 1 : null;
    }

    /// <summary>Entries from a position on: at most so many, and not many more than so many bytes.</summary>
    public static ImmutableArray<TranscriptEntry> Read(SqliteStatements statements, string sessionId, long first, long limit, int maxBytes)
    {
        if (limit <= 0)
        {
            return [];
        }

        using var rows = statements.Query("Sessions/Sqlite/read_entries.sql", sessionId, first, limit);
        var entries = ImmutableArray.CreateBuilder<TranscriptEntry>((int)Math.Min(limit, 64));
        var bytes = 0;
        while (bytes < maxBytes && rows.Read())
        {
            var entry = new TranscriptEntry(
                UnixMicroseconds.To(rows.GetInt64(0)),
                (EntryRole)rows.GetInt64(1),
                rows.GetString(2),
                rows.TextOrNull(3),
                rows.TextOrNull(4),
                rows.TextOrNull(5),
                rows.TextOrNull(6),
                rows.IsDBNull(7) ? null : rows.GetInt64(7) != 0);
            entries.Add(entry);
            bytes += SessionEntries.SizeOf(entry);
        }

        return entries.ToImmutable();
    }
}
