using System.Data.Common;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Cerver.Tests.Secrets.Leaks;

/// <summary>Everything that is in a database, as text. In its files a value may be cut by the pages.</summary>
internal static class DatabaseText
{
    private const string PostgresTables =
        "select quote_ident(table_schema) || '.' || quote_ident(table_name) from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')";

    private const string SqliteTables = "select '\"' || name || '\"' from sqlite_master where type = 'table' and sql not like 'create virtual%'";

    /// <summary>Every table with all its rows; bytes are read as Latin-1.</summary>
    public static async IAsyncEnumerable<(string Table, string Text)> ReadAsync(DbConnection connection)
    {
        await connection.OpenAsync();
        var tables = (await ReadAsync(connection, connection is SqliteConnection ? SqliteTables : PostgresTables)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.NotEmpty(tables);
        foreach (var table in tables)
        {
            yield return (table, await ReadAsync(connection, $"select * from {table}"));
        }
    }

    private static async Task<string> ReadAsync(DbConnection connection, string query)
    {
        var text = new StringBuilder();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The names of tables come from the database itself.
        command.CommandText = query;
#pragma warning restore CA2100
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            for (var column = 0; column < rows.FieldCount; column++)
            {
                text.Append(' ').Append(rows.GetValue(column) is byte[] bytes ? Encoding.Latin1.GetString(bytes) : rows.GetValue(column).ToString());
            }

            text.Append('\n');
        }

        return text.ToString();
    }
}
