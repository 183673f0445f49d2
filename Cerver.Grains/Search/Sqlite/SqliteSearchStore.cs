using Cerver.Errors;
using Cerver.Grains.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Search.Sqlite;

/// <summary>
/// Searches in SQLite. A search computes for milliseconds and does not wait for anything, so it gets a thread of the pool, and as many run at once as there are
/// processors: other calls of the grain do not wait behind it.
/// </summary>
internal sealed partial class SqliteSearchStore(SqliteReaders readers, TimeProvider time, ILogger<SqliteSearchStore> logger) : ISearchStore, IDisposable
{
    private readonly SemaphoreSlim _free = new(Environment.ProcessorCount);

    /// <inheritdoc/>
    public async Task<T> SearchAsync<T>(SearchScope scope, Func<ISearchReader, Task<T>> search, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        try
        {
            var found = await Task.Run(() => readers.ReadSnapshotAsync(statements => search(new SqliteSearchReader(statements, scope, time))), cancellationToken);
            return await found;
        }
        catch (SqliteException failure)
        {
            LogSearchFailed(failure);
            throw new CerverException(CerverError.StorageUnavailable, "The database does not answer. Try again later.");
        }
        finally
        {
            _free.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();

    [LoggerMessage(Level = LogLevel.Error, Message = "The index could not be searched")]
    private partial void LogSearchFailed(SqliteException failure);
}
