using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>Reads columns.</summary>
internal static class PostgresRows
{
    /// <summary>A text column.</summary>
    public static string Text(this NpgsqlDataReader rows, int column) => PostgresText.Unescape(rows.GetString(column));

    /// <summary>A text column that may be null.</summary>
    public static string? TextOrNull(this NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.Text(column);

    /// <summary>A number that may be null.</summary>
    public static long? NumberOrNull(this NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetInt64(column);

    /// <summary>All rows that are left of a result.</summary>
    public static async Task<ImmutableArray<T>> ReadAllAsync<T>(this NpgsqlDataReader rows, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var all = ImmutableArray.CreateBuilder<T>();
        while (await rows.ReadAsync(cancellationToken))
        {
            all.Add(read(rows));
        }

        return all.ToImmutable();
    }

    /// <summary>The one row of a result, or the default when there is none.</summary>
    public static async Task<T?> ReadOneAsync<T>(this NpgsqlDataReader rows, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        await rows.ReadAsync(cancellationToken) ? read(rows) : default;
}
