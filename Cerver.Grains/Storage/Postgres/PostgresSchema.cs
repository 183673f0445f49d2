using System.Data;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>The schema of a PostgreSQL database: numbered steps, each applied once, whole or not at all, by one process at a time.</summary>
internal static class PostgresSchema
{
    /// <summary>Names the lock that whoever works on the schema holds; any number that others do not use.</summary>
    private const long LockKey = 0x43_45_52_56_45_52;

    private const int StepSeconds = 3600;

    /// <summary>With their pauses longer than a process that hangs can hold a session.</summary>
    private const int RaiseAttempts = 40;

    private static readonly TimeSpan RaisePause = TimeSpan.FromMilliseconds(300);

    private static readonly ImmutableArray<string> Steps = [.. SqlText.Steps("Storage/Postgres", prefix: "")];

    /// <summary>Brings the schema up to date. Processes that do it at the same time wait for one another, at most two minutes.</summary>
    /// <exception cref="InvalidOperationException">
    /// The database was written by a newer or a development version, another process has worked on its schema for two minutes, or its settings would lose what was acknowledged. The
    /// message says what to do.
    /// </exception>
    /// <exception cref="NpgsqlException">The database cannot be reached, or the user may not create tables in it.</exception>
    public static Task MigrateAsync(NpgsqlDataSource source, CancellationToken cancellationToken) => WithLockAsync(
        source,
        async connection =>
        {
            await RequireDurableAsync(connection, cancellationToken);
            await ExecuteAsync(connection, "Storage/Postgres/create_schema_step.sql", cancellationToken);
            for (var step = await CountStepsAsync(connection, cancellationToken); step < Steps.Length; step++)
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await ExecuteAsync(connection, Steps[step], cancellationToken);
                await ExecuteAsync(
                    connection, "Storage/Postgres/insert_schema_step.sql", cancellationToken, step + 1L, NameOf(Steps[step]), HashOf(Steps[step]));
                await transaction.CommitAsync(cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>Makes sure that the schema is the one that this version was made for. It only reads.</summary>
    /// <exception cref="InvalidOperationException">
    /// The schema is missing, older, newer or that of a development version, or the settings of the database would lose what was acknowledged. The message says what to do.
    /// </exception>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public static async Task RequireCurrentAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await RequireDurableAsync(connection, cancellationToken);
        var applied = await ScalarAsync(connection, "Storage/Postgres/has_schema_step.sql", cancellationToken) is true
            ? await CountStepsAsync(connection, cancellationToken)
            : 0;
        if (applied < Steps.Length)
        {
            throw new InvalidOperationException(
                $"The database '{connection.Database}' has schema {applied} and this version needs {Steps.Length}. Run 'dotnet Cerver.Silo.dll migrate' with the same settings first.");
        }
    }

    /// <summary>
    /// Makes the numbers of changes go on beyond those that were given out. A backup that was restored brings its numbers with it, and the server it is on now counts
    /// its transactions from somewhere else. For a process that is about to write; others may be writing.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be reached, or somebody does not let go of its sessions.</exception>
    public static async Task ContinueChangesAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (await ScalarAsync(connection, "Storage/Postgres/is_change_base_due.sql", cancellationToken) is false)
        {
            return;
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await RaiseChangeBaseAsync(connection, cancellationToken);
                return;
            }
            catch (PostgresException held) when (attempt < RaiseAttempts && held.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                await Task.Delay(RaisePause, cancellationToken);
            }
        }
    }

    private static async Task RaiseChangeBaseAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // The statements of a batch know what it accepted by its number, so they must all count from the same base.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, "Storage/Postgres/lock_sessions.sql", cancellationToken);
        await ExecuteAsync(connection, "Storage/Postgres/raise_change_base.sql", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task WithLockAsync(NpgsqlDataSource source, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await LockAsync(connection, cancellationToken);
        try
        {
            await work(connection);
        }
        finally
        {
            // The connection goes back to the pool. One that broke has no lock any more.
            if (connection.FullState == ConnectionState.Open)
            {
                await ExecuteAsync(connection, "Storage/Postgres/unlock_schema.sql", CancellationToken.None, LockKey);
            }
        }
    }

    private static async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            // The lock outlives the transaction, the time limit does not.
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, "Storage/Postgres/limit_schema_lock.sql", cancellationToken);
            await ExecuteAsync(connection, "Storage/Postgres/lock_schema.sql", cancellationToken, LockKey);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new InvalidOperationException(
                $"Another process has been working on the schema of the database '{connection.Database}' for two minutes. See what it does, then start this again.", busy);
        }
    }

    private static async Task RequireDurableAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await ScalarAsync(connection, "Storage/Postgres/find_lossy_setting.sql", cancellationToken) is string setting)
        {
            throw new InvalidOperationException(
                $"The database '{connection.Database}' has {setting} = off, so it would lose what it has acknowledged when its machine fails. Set {setting} = on.");
        }
    }

    /// <summary>How many steps were applied. All of them are known.</summary>
    private static async Task<int> CountStepsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, "Storage/Postgres/list_schema_steps.sql", []);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var applied = await rows.ReadAllAsync(static row => (Name: row.GetString(0), Hash: row.GetString(1)), cancellationToken);
        var other = applied.Zip(Steps).Select(static pair => (pair.First, Known: (Name: NameOf(pair.Second), Hash: HashOf(pair.Second))))
            .FirstOrDefault(static pair => pair.First != pair.Known);
        if (other.Known.Name is { } name)
        {
            throw new InvalidOperationException(
                $"The database '{connection.Database}' was written by a development version: its schema step '{name}' is not the one of this version, and nothing leads from "
                + "there to here. Use the version that wrote it, or a new database.");
        }

        if (applied.Length > Steps.Length)
        {
            throw new InvalidOperationException(
                $"The database '{connection.Database}' has schema {applied.Length} and this version knows {Steps.Length}. Start the newer version it was written by.");
        }

        return applied.Length;
    }

    private static string NameOf(string step) => Path.GetFileNameWithoutExtension(step);

    /// <summary>The same wherever the text was checked out.</summary>
    private static string HashOf(string step) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(SqlText.Load(step).ReplaceLineEndings("\n"))));

    private static async Task ExecuteAsync(NpgsqlConnection connection, string path, CancellationToken cancellationToken, params object[] parameters)
    {
        await using var command = Command(connection, path, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string path, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, path, []);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string path, object[] parameters)
    {
#pragma warning disable CA2100 // The text is an embedded statement.
        var command = new NpgsqlCommand(SqlText.Load(path), connection) { CommandTimeout = StepSeconds };
#pragma warning restore CA2100
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        return command;
    }
}
