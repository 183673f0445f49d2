using Cerver.Errors;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Silo.Storage;
using Microsoft.Data.Sqlite;

namespace Cerver.Silo.Standalone;

/// <summary>
/// Lets Orleans use a SQLite file by the same rules as the log: a database that refuses is tried again with the next call, and after a
/// flush that failed nothing is written any more.
/// </summary>
/// <param name="database">The file.</param>
/// <param name="failure">Told when the file must not be written to any more.</param>
internal sealed class SqliteGuard(SqliteDatabase database, StorageFailure failure) : IStateGuard
{
    /// <inheritdoc/>
    public async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        if (failure.Occurred.IsCompleted)
        {
            throw new CerverException(
                CerverError.StorageUnavailable, "The database failed and takes no more writes before the gateway has started again. Try again in a moment.");
        }

        try
        {
            return await call();
        }
        catch (Exception failed) when (Cause(failed) is { } cause)
        {
            if (SqliteFault.IsDamage(cause) || SqliteFault.IsFailedFlush(cause))
            {
                failure.Report(database.Path, cause);
            }
            else
            {
                // A connection that was opened while the disk could not be written never can write.
                using var connection = new SqliteConnection(database.ConnectionString);
                SqliteConnection.ClearPool(connection);
            }

            throw new CerverException(CerverError.StorageUnavailable, "What the gateway knows of sandboxes and vaults could not be read or stored. Try again later.");
        }
    }

    private static SqliteException? Cause(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is SqliteException found)
            {
                return found;
            }
        }

        return null;
    }
}
