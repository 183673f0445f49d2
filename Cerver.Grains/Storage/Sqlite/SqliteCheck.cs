using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>What a look at a file as it is opened found.</summary>
/// <param name="Damage">What is wrong with it, in SQLite's words, or null when nothing was found.</param>
/// <param name="Unseen">Tables for which there was no time.</param>
internal sealed record SqliteGlance(string? Damage, ImmutableArray<string> Unseen);

/// <summary>Looks at a database file: for damage, and for what the rules of the log forbid. It only reads.</summary>
internal static class SqliteCheck
{
    private const int OperationsPerLook = 10_000;

    /// <summary>Looks for damage in one table after the other, as long as there is time: 100 MB take about 0.15 s.</summary>
    /// <remarks>
    /// The structure of every page is looked at and that no row violates its constraints, but not whether each row is in every index.
    /// </remarks>
    /// <exception cref="SqliteException">The file is not even a database, or cannot be read.</exception>
    public static SqliteGlance Glance(SqliteConnection connection, TimeSpan limit, TimeProvider time)
    {
        var tables = ReadLines(connection, "select name from sqlite_schema where type = 'table' and rootpage > 0 order by rowid;", int.MaxValue);
        var began = time.GetTimestamp();
        sqlite3_progress_handler(connection.Handle!, OperationsPerLook, _ => time.GetElapsedTime(began) >= limit ? 1 : 0, null);
        try
        {
            for (var seen = 0; seen < tables.Count; seen++)
            {
                if (CheckTable(connection, tables[seen]) is not { } said)
                {
                    return new SqliteGlance(Damage: null, [.. tables.Skip(seen)]);
                }

                if (!said.Equals("ok", StringComparison.Ordinal))
                {
                    return new SqliteGlance(said, []);
                }
            }

            return new SqliteGlance(Damage: null, []);
        }
        finally
        {
            sqlite3_progress_handler(connection.Handle!, 0, null, null);
        }
    }

    /// <summary>Everything that is wrong with a file: its pages, rows and indexes. Takes as long as it takes.</summary>
    /// <returns>At most <see cref="LogRules.MaxViolations"/> lines.</returns>
    /// <exception cref="SqliteException">The file is not even a database, or cannot be read.</exception>
    public static IReadOnlyList<string> FindDamage(SqliteConnection connection)
    {
        var said = ReadLines(connection, $"pragma integrity_check({LogRules.MaxViolations});", LogRules.MaxViolations);
        return said is ["ok"] ? [] : said;
    }

    /// <summary>Everything that the rules of the log forbid, in our own database.</summary>
    /// <returns>At most <see cref="LogRules.MaxViolations"/> lines of each rule.</returns>
    /// <exception cref="SqliteException">The file is damaged, or was written by another version.</exception>
    public static IReadOnlyList<string> FindViolations(SqliteConnection connection) =>
        [.. LogRules.Paths.SelectMany(rule => ReadLines(connection, SqlText.Load(rule), LogRules.MaxViolations))];

    private static string? CheckTable(SqliteConnection connection, string table)
    {
        try
        {
            return ReadLines(connection, $"pragma quick_check('{table.Replace("'", "''", StringComparison.Ordinal)}');", limit: 1)[0];
        }
        catch (SqliteException interrupted) when (interrupted.SqliteErrorCode == SQLITE_INTERRUPT)
        {
            return null;
        }
    }

    private static List<string> ReadLines(SqliteConnection connection, string text, int limit)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is a constant of ours, an embedded statement, or names a table of the file.
        command.CommandText = text;
#pragma warning restore CA2100
        using var rows = command.ExecuteReader();
        var lines = new List<string>();
        while (lines.Count < limit && rows.Read())
        {
            lines.Add(rows.GetString(0));
        }

        return lines;
    }
}
