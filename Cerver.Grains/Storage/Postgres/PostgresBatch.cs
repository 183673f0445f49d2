using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>
/// Changes of several sessions that are committed together: a few statements over arrays, sent at once, which the server takes as one
/// transaction. Each statement sees what the ones before it did, and what was committed before it got its locks.
/// </summary>
internal sealed class PostgresBatch
{
    private const string Lock = "Sessions/Postgres/lock.sql";

    /// <summary>
    /// The statements, in the order in which they are carried out. The first four after the lock accept changes, and those after them write
    /// only what came with what was accepted: they know it by its number, which no other transaction can have given.
    /// </summary>
    private static readonly ImmutableArray<string> Order =
    [
        "Sessions/Postgres/touch.sql", "Sessions/Postgres/update.sql", "Sessions/Postgres/insert.sql", "Runs/Postgres/append_output.sql",
        "Runs/Postgres/insert_output.sql",
        "Sessions/Postgres/insert_entry.sql", "Runs/Postgres/insert.sql", "Runs/Postgres/end.sql", "Sessions/Postgres/insert_event.sql",
        "Operations/Postgres/forget.sql", "Operations/Postgres/remove_expired.sql", "Operations/Postgres/insert.sql",
        "Operations/Postgres/complete.sql",
    ];

    private readonly Dictionary<string, PostgresTable> _tables = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<PostgresChange> _changes;

    /// <summary>Gathers the rows of changes.</summary>
    public PostgresBatch(IReadOnlyList<PostgresChange> changes)
    {
        _changes = changes;
        for (var ordinal = 0; ordinal < changes.Count; ordinal++)
        {
            changes[ordinal].AddTo(this, ordinal);
        }
    }

    /// <summary>Begins a row for one of the statements.</summary>
    public PostgresTable Row(string path)
    {
        if (!_tables.TryGetValue(path, out var table))
        {
            table = new PostgresTable(path);
            _tables.Add(path, table);
        }

        return table.Row();
    }

    /// <summary>Commits the changes. Those that were accepted are on disk when the task completes.</summary>
    /// <returns>For each change null when it was accepted, else what it is refused with.</returns>
    /// <exception cref="NpgsqlException">None was accepted, or it is not known.</exception>
    public async Task<Exception?[]> CommitAsync(NpgsqlConnection connection)
    {
        await using var batch = new NpgsqlBatch(connection) { Timeout = PostgresDatabase.CommandSeconds };
        var locked = _changes.Where(static change => change.LocksSession).Select(static change => change.SessionId);
        batch.BatchCommands.Add(new PostgresStatement(Lock).Texts(locked).ToCommand());
        foreach (var path in Order)
        {
            if (_tables.TryGetValue(path, out var table))
            {
                batch.BatchCommands.Add(table.ToCommand());
            }
        }

        var existing = new HashSet<string>(StringComparer.Ordinal);
        var accepted = new bool[_changes.Count];
        await using (var rows = await batch.ExecuteReaderAsync(CancellationToken.None))
        {
            while (await rows.ReadAsync(CancellationToken.None))
            {
                existing.Add(rows.Text(0));
            }

            while (await rows.NextResultAsync(CancellationToken.None))
            {
                while (await rows.ReadAsync(CancellationToken.None))
                {
                    accepted[rows.GetInt64(0)] = true;
                }
            }
        }

        return [.. _changes.Select((change, ordinal) => accepted[ordinal] ? null : change.Refusal(existing.Contains(change.SessionId)))];
    }
}
