using Cerver.Errors;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Orleans.Storage;

namespace Cerver.Silo.Standalone;

/// <summary>
/// Grain state in SQLite, by the same rules as the log: a database that refuses is tried again with the next call, and after a flush that failed
/// nothing is written any more.
/// </summary>
/// <param name="inner">The ADO.NET provider, which knows nothing of SQLite's failures.</param>
/// <param name="database">The file.</param>
/// <param name="failure">Told when the file must not be written to any more.</param>
internal sealed class SqliteGrainStorage(IGrainStorage inner, SqliteDatabase database, StorageFailure failure) : IGrainStorage
{
    /// <summary>The name under which the ADO.NET provider is registered.</summary>
    public const string InnerName = "grains-unguarded";

    /// <inheritdoc/>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        GuardAsync(() => inner.ReadStateAsync(stateName, grainId, grainState));

    /// <inheritdoc/>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        GuardAsync(() => inner.WriteStateAsync(stateName, grainId, grainState));

    /// <inheritdoc/>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        GuardAsync(() => inner.ClearStateAsync(stateName, grainId, grainState));

    private async Task GuardAsync(Func<Task> call)
    {
        if (failure.Occurred.IsCompleted)
        {
            throw new CerverException(
                CerverError.StorageUnavailable, "The database failed and takes no more writes before the gateway has started again. Try again in a moment.");
        }

        try
        {
            await call();
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

            throw new CerverException(CerverError.StorageUnavailable, "What the gateway knows of the sandbox could not be read or stored. Try again later.");
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
