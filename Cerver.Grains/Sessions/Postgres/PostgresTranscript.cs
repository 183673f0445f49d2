using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Sessions;
using Npgsql;

namespace Cerver.Grains.Sessions.Postgres;

/// <summary>Entries of transcripts in PostgreSQL.</summary>
internal static class PostgresTranscript
{
    /// <summary>Reads the columns that every statement here selects, in their order.</summary>
    public static TranscriptEntry ReadEntry(NpgsqlDataReader rows) => new(
        UnixMicroseconds.To(rows.GetInt64(0)),
        (EntryRole)rows.GetInt16(1),
        rows.Text(2),
        rows.TextOrNull(3),
        rows.TextOrNull(4),
        rows.TextOrNull(5),
        rows.TextOrNull(6),
        rows.IsDBNull(7) ? null : rows.GetBoolean(7));
}
