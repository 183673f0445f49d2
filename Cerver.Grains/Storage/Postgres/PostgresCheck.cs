using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>Looks for what the rules of the log forbid. It only reads.</summary>
internal static class PostgresCheck
{
    private const int RuleSeconds = 600;

    /// <summary>Everything that the rules of the log forbid. Takes as long as it takes.</summary>
    /// <returns>At most <see cref="LogRules.MaxViolations"/> lines of each rule.</returns>
    /// <exception cref="NpgsqlException">The database cannot be reached, or was written by another version.</exception>
    public static async Task<IReadOnlyList<string>> FindViolationsAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(connection, "Storage/Postgres/begin_check.sql", cancellationToken);
        foreach (var rule in LogRules.Paths)
        {
#pragma warning disable CA2100 // The text is an embedded statement.
            await using var command = new NpgsqlCommand(SqlText.Load(rule), connection) { CommandTimeout = RuleSeconds };
#pragma warning restore CA2100
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            var lines = 0;
            while (lines < LogRules.MaxViolations && await rows.ReadAsync(cancellationToken))
            {
                found.Add(rows.Text(0));
                lines++;
            }
        }

        await ExecuteAsync(connection, "Storage/Postgres/commit.sql", cancellationToken);
        return found;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string path, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // The text is an embedded statement.
        await using var command = new NpgsqlCommand(SqlText.Load(path), connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
