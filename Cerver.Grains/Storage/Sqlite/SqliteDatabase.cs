using Microsoft.Data.Sqlite;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>One SQLite file and how to connect to it: write-ahead log, every commit on disk before it is acknowledged.</summary>
internal sealed class SqliteDatabase
{
    /// <summary>How long the writer waits for somebody who holds the file, in milliseconds.</summary>
    public const int WriterWaitMs = 5000;

    private readonly string _connectionString;

    /// <summary>Names the file.</summary>
    /// <param name="path">The file. It is created when it does not exist, its directory is not.</param>
    public SqliteDatabase(string path)
    {
        Path = path;
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 5, ForeignKeys = false }.ToString();
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What opens the same file through another library.</summary>
    public string ConnectionString => _connectionString;

    /// <summary>A connection from the pool. Dispose it to give it back.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A connection for the one writer. <c>synchronous</c> is FULL: with NORMAL a power cut was measured to lose rows that had been
    /// acknowledged. What is deleted is overwritten, not only forgotten. Nothing moves its log into the file but <see cref="SqliteWriter"/>
    /// and the last connection that closes.
    /// </summary>
    /// <remarks>
    /// It is not of the pool, which would hand it with these settings to somebody who does not move the log. Dispose it to close it.
    /// </remarks>
    public SqliteConnection OpenWriter()
    {
        var connection = OpenAlone(SqliteOpenMode.ReadWriteCreate);
        try
        {
            Execute(connection, $"""
                pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;
                pragma busy_timeout = {WriterWaitMs}; pragma wal_autocheckpoint = 0;
                """);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A connection that cannot write, of nobody else's. Dispose it to close it.</summary>
    public SqliteConnection OpenReadOnly() => OpenAlone(SqliteOpenMode.ReadOnly);

    /// <summary>Looks whether the file is damaged, for a limited time.</summary>
    /// <exception cref="SqliteException">The file is not even a database, or cannot be read.</exception>
    public SqliteGlance Glance(TimeSpan limit, TimeProvider time)
    {
        using var connection = OpenWriter();
        return SqliteCheck.Glance(connection, limit, time);
    }

    /// <summary>Brings the schema up to date. Every step is applied once, whole or not at all.</summary>
    /// <param name="prefix">Names the family of steps: empty for our own, <c>orleans_</c> for the grain state.</param>
    /// <exception cref="InvalidOperationException">The file was written by a newer version.</exception>
    public void Migrate(string prefix)
    {
        using var connection = OpenWriter();
        var applied = Convert.ToInt32(Scalar(connection, "pragma user_version;"), System.Globalization.CultureInfo.InvariantCulture);
        var steps = SqlText.Steps("Storage/Sqlite", prefix).ToList();
        if (applied > steps.Count)
        {
            throw new InvalidOperationException(
                $"The database '{Path}' has schema {applied} and this version knows {steps.Count}. Start the newer version it was written by.");
        }

        for (var step = applied; step < steps.Count; step++)
        {
            using var transaction = connection.BeginTransaction();
            Execute(connection, SqlText.Load(steps[step]), transaction);
            Execute(connection, $"pragma user_version = {step + 1};", transaction);
            transaction.Commit();
        }
    }

    private SqliteConnection OpenAlone(SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(_connectionString) { Mode = mode, Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Execute(SqliteConnection connection, string text, SqliteTransaction? transaction = null)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // The text is a constant of ours or an embedded schema step.
        command.CommandText = text;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is a constant of ours.
        command.CommandText = text;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
