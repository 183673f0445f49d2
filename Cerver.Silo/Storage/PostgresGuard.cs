using Cerver.Errors;
using Cerver.Grains.Storage.Postgres;
using Npgsql;

namespace Cerver.Silo.Storage;

/// <summary>Lets Orleans use PostgreSQL: what goes wrong is told and refused, and the next call tries again.</summary>
/// <param name="source">The pool that Orleans uses.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class PostgresGuard(NpgsqlDataSource source, ILogger<PostgresGuard> logger) : IStateGuard
{
    /// <inheritdoc/>
    public async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception failed) when (Cause(failed) is { } cause && PostgresFault.IsStale(cause))
        {
            // The server was stopped since the connection was last used. Nothing was done with it, and it may be there again.
            source.Clear();
        }
        catch (Exception failed) when (Cause(failed) is { } cause)
        {
            throw Refusal(cause);
        }

        try
        {
            return await call();
        }
        catch (Exception failed) when (Cause(failed) is { } cause)
        {
            throw Refusal(cause);
        }
    }

    private CerverException Refusal(NpgsqlException cause)
    {
        LogFailed(cause);
        if (PostgresFault.IsLost(cause))
        {
            // What happened to one connection has happened to those that are not in use too.
            source.Clear();
        }

        return new CerverException(CerverError.StorageUnavailable, "What the gateway knows of sandboxes and vaults could not be read or stored. Try again later.");
    }

    private static NpgsqlException? Cause(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is NpgsqlException found)
            {
                return found;
            }
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What Orleans keeps could not be read or stored")]
    private partial void LogFailed(NpgsqlException failure);
}
