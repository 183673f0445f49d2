using Cerver.Errors;

namespace Cerver.Silo.Storage;

/// <summary>
/// The rules by which Orleans uses a database for what it keeps itself. The driver's exceptions do not come out: a caller of a grain could
/// not even read them.
/// </summary>
internal interface IStateGuard
{
    /// <summary>Makes a call to the database.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    Task RunAsync(Func<Task> call) => RunAsync(async () =>
    {
        await call();
        return true;
    });

    /// <inheritdoc cref="RunAsync(Func{Task})"/>
    Task<T> RunAsync<T>(Func<Task<T>> call);
}
