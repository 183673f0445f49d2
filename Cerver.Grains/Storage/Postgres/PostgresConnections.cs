using Cerver.Errors;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>Runs statements on pooled connections. The driver's failures do not come out of here.</summary>
internal sealed partial class PostgresConnections(NpgsqlDataSource source, ILogger<PostgresConnections> logger)
{
    private static readonly PostgresStatement BeginSnapshot = new("Storage/Postgres/begin_snapshot.sql");
    private static readonly PostgresStatement EndSnapshot = new("Storage/Postgres/commit.sql");

    /// <summary>Reads with one statement.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public Task<T> ReadAsync<T>(PostgresStatement statement, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        ReadAsync(
            async connection =>
            {
                await using var rows = await new PostgresQueries(connection).RunAsync(cancellationToken, statement);
                return await read(rows, cancellationToken);
            },
            cancellationToken);

    /// <summary>Reads with several statements, sent together, that all see the same state of the database.</summary>
    /// <param name="statements">The statements.</param>
    /// <param name="read">Reads their results, of which there is one for each statement.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public Task<T> ReadSnapshotAsync<T>(
        PostgresStatement[] statements, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        ReadAsync(
            async connection =>
            {
                await using var rows = await new PostgresQueries(connection).RunAsync(cancellationToken, [BeginSnapshot, .. statements, EndSnapshot]);
                return await read(rows, cancellationToken);
            },
            cancellationToken);

    /// <summary>
    /// Reads with statements of which later ones depend on what earlier ones gave, and which all see the same state of the database.
    /// </summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public Task<T> ReadSnapshotAsync<T>(Func<PostgresQueries, Task<T>> read, CancellationToken cancellationToken) => ReadAsync(
        async connection =>
        {
            var queries = new PostgresQueries(connection);
            await (await queries.RunAsync(cancellationToken, BeginSnapshot)).DisposeAsync();
            var result = await read(queries);
            await (await queries.RunAsync(cancellationToken, EndSnapshot)).DisposeAsync();
            return result;
        },
        cancellationToken);

    /// <summary>Runs statements that change something, all or none. They are on disk when the task completes.</summary>
    /// <returns>The number that the last statement gives, 0 when it gives none.</returns>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.Fenced"/> when a constraint was violated, <see cref="CerverError.StorageUnavailable"/> when the database
    /// takes no write; nothing was changed in either case. <see cref="CerverError.StorageInDoubt"/> when the connection was lost.
    /// </exception>
    public async Task<long> WriteAsync(CancellationToken cancellationToken, params NpgsqlBatchCommand[] commands)
    {
        await using var connection = await OpenAsync(cancellationToken);
        try
        {
            await using var batch = new NpgsqlBatch(connection) { Timeout = PostgresDatabase.CommandSeconds };
            foreach (var command in commands)
            {
                batch.BatchCommands.Add(command);
            }

            var number = 0L;
            await using (var rows = await batch.ExecuteReaderAsync(CancellationToken.None))
            {
                do
                {
                    number = await rows.ReadAsync(CancellationToken.None) && rows.GetFieldType(0) == typeof(long) ? rows.GetInt64(0) : 0;
                }
                while (await rows.NextResultAsync(CancellationToken.None));
            }

            return number;
        }
        catch (NpgsqlException failure)
        {
            LogWriteFailed(failure);
            throw Refusal(failure);
        }
    }

    /// <summary>What a failed write is refused with.</summary>
    public static CerverException Refusal(NpgsqlException failure) => failure switch
    {
        PostgresException violation when PostgresFault.IsViolation(violation) => new CerverException(CerverError.Fenced, "Somebody else wrote to this session first. Try again."),
        _ when PostgresFault.IsUndone(failure) => NotWritten(),
        _ => new CerverException(
            CerverError.StorageInDoubt,
            "The connection to the database was lost while it wrote this, and whether it is stored is not known. Look before you repeat it, or repeat it with the Idempotency-Key it had."),
    };

    /// <summary>What is refused that the database did not take.</summary>
    public static CerverException NotWritten() => new(CerverError.StorageUnavailable, "The database took no write, nothing was changed. Try again later.");

    /// <summary>A connection of the pool. Dispose it to give it back.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await source.OpenConnectionAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is NpgsqlException or ObjectDisposedException)
        {
            LogNotReached(failure);
            throw new CerverException(CerverError.StorageUnavailable, "The database does not answer. Try again later.");
        }
    }

    /// <summary>Forgets the connections that are not in use: what happened to one has happened to them too.</summary>
    public void Forget() => source.Clear();

    private async Task<T> ReadAsync<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadOnceAsync(read, cancellationToken);
        }
        catch (NpgsqlException failure) when (!PostgresFault.IsTimeout(failure) && (PostgresFault.IsLost(failure) || PostgresFault.IsStale(failure)))
        {
            // After the server was started again no connection of the pool is of use, and it may be there all the same.
            Forget();
        }
        catch (NpgsqlException failure)
        {
            throw Unreadable(failure);
        }

        try
        {
            return await ReadOnceAsync(read, cancellationToken);
        }
        catch (NpgsqlException failure)
        {
            throw Unreadable(failure);
        }
    }

    private async Task<T> ReadOnceAsync<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        return await read(connection);
    }

    private CerverException Unreadable(NpgsqlException failure)
    {
        LogReadFailed(failure);
        return new CerverException(CerverError.StorageUnavailable, "The database does not answer. Try again later.");
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The database could not be read")]
    private partial void LogReadFailed(NpgsqlException failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database took no write")]
    private partial void LogWriteFailed(NpgsqlException failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database could not be reached")]
    private partial void LogNotReached(Exception failure);
}

/// <summary>Runs statements on one connection, one after the other.</summary>
internal sealed class PostgresQueries(NpgsqlConnection connection)
{
    /// <summary>Runs statements, sent together. Dispose the reader before the next ones.</summary>
    public async Task<NpgsqlDataReader> RunAsync(CancellationToken cancellationToken, params PostgresStatement[] statements)
    {
        var batch = new NpgsqlBatch(connection) { Timeout = PostgresDatabase.CommandSeconds };
        foreach (var statement in statements)
        {
            batch.BatchCommands.Add(statement.ToCommand());
        }

        return await batch.ExecuteReaderAsync(cancellationToken);
    }
}
