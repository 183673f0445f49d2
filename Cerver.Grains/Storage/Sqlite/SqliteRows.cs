using Microsoft.Data.Sqlite;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>Reads columns.</summary>
internal static class SqliteRows
{
    /// <summary>A text column that may be null.</summary>
    public static string? TextOrNull(this SqliteDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}
