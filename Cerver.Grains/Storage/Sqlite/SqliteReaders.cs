using System.Collections.Concurrent;
using Cerver.Errors;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>Connections for reading, each with its prepared statements. As many exist as were ever in use at once.</summary>
internal sealed partial class SqliteReaders(SqliteDatabase database, ILogger<SqliteReaders> logger) : IDisposable
{
    private readonly ConcurrentBag<Reader> _free = [];

    /// <summary>Reads with one statement.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public Task<T> ReadAsync<T>(Func<SqliteStatements, T> read) => ReadAsync(read, snapshot: false);

    /// <summary>Reads with several statements that all see the same state of the database.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public Task<T> ReadSnapshotAsync<T>(Func<SqliteStatements, T> read) => ReadAsync(read, snapshot: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_free.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    /// <summary>SQLite reads without waiting: pages come from memory, a miss costs what reading a file costs.</summary>
    private Task<T> ReadAsync<T>(Func<SqliteStatements, T> read, bool snapshot)
    {
        Reader? reader = null;
        try
        {
            if (!_free.TryTake(out reader))
            {
                reader = new Reader(database.Open());
            }

            var result = snapshot ? reader.ReadSnapshot(read) : read(reader.Statements);
            _free.Add(reader);
            return Task.FromResult(result);
        }
        catch (SqliteException failure)
        {
            LogReadFailed(failure);
            reader?.Dispose();
            return Task.FromException<T>(new CerverException(CerverError.StorageUnavailable, "The database does not answer. Try again later."));
        }
        catch
        {
            reader?.Dispose();
            throw;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The database could not be read")]
    private partial void LogReadFailed(SqliteException failure);

    private sealed class Reader : IDisposable
    {
        private readonly SqliteConnection _connection;

        public Reader(SqliteConnection connection)
        {
            // SQLite's own lower() knows the letters of ASCII only.
            connection.CreateFunction("lower_invariant", static (string? text) => text?.ToLowerInvariant(), isDeterministic: true);
            _connection = connection;
            Statements = new(connection);
        }

        public SqliteStatements Statements { get; }

        public T ReadSnapshot<T>(Func<SqliteStatements, T> read)
        {
            Statements.Execute("Storage/Sqlite/begin_snapshot.sql");
            var result = read(Statements);
            Statements.Execute("Storage/Sqlite/commit.sql");
            return result;
        }

        public void Dispose()
        {
            Statements.Dispose();
            // A failed read may have left its transaction open, and the pool must not hand that on.
            SqliteConnection.ClearPool(_connection);
            _connection.Dispose();
        }
    }
}
