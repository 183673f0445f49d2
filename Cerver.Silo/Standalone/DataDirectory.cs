using Cerver.Api.Hosting;
using Cerver.Grains.Computes.Local;

namespace Cerver.Silo.Standalone;

/// <summary>The directory that holds everything a standalone gateway keeps. One process at a time uses it.</summary>
internal sealed class DataDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The system's word for a lock that somebody else holds.</summary>
    private const int LockIsHeld = 11;

    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>Sessions, transcripts, runs and their output.</summary>
    public string DatabasePath => System.IO.Path.Combine(Path, "cerver.db");

    /// <summary>
    /// State of grains that Orleans keeps. A file of its own: SQLite lets one writer in at a time, and the commit pipeline hardly ever
    /// leaves.
    /// </summary>
    public string GrainStatePath => System.IO.Path.Combine(Path, "orleans.db");

    /// <summary>The API token that the gateway made.</summary>
    public string TokenPath => System.IO.Path.Combine(Path, "token");

    /// <summary>The keys with which the gateway encrypts what accounts entrust to it.</summary>
    public string KeysPath => System.IO.Path.Combine(Path, "keys");

    /// <summary>Takes the directory that <c>CERVER_DATA</c> names, or the usual place for the user, and creates it if need be.</summary>
    /// <exception cref="GatewayStartException">It cannot be used, or another gateway uses it.</exception>
    public static DataDirectory Open(IConfiguration configuration) => Take(PathIn(configuration), static path =>
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }

        return Lock(path);
    });

    /// <summary>Takes a directory that a gateway has used before, and makes nothing in it but the file <c>lock</c>.</summary>
    /// <exception cref="GatewayStartException">There is none, it cannot be used, or another gateway uses it.</exception>
    public static DataDirectory OpenExisting(IConfiguration configuration)
    {
        var path = PathIn(configuration);
        return File.Exists(System.IO.Path.Combine(path, "cerver.db"))
            ? Take(path, Lock)
            : throw new GatewayStartException($"There is no database in '{path}'. Name the gateway's data directory with CERVER_DATA.");
    }

    /// <summary>Makes the files of the databases, for nobody else to read.</summary>
    /// <exception cref="GatewayStartException">They cannot be made.</exception>
    public void CreateDatabases() => Take(Path, _ =>
    {
        // A directory that was there before may be open to others. SQLite gives its other files the mode of the first.
        CreatePrivately(DatabasePath);
        CreatePrivately(GrainStatePath);
        return this;
    });

    /// <summary>The name of the gateway that has this directory: 32 hexadecimal digits, made once.</summary>
    /// <exception cref="GatewayStartException">It cannot be stored.</exception>
    public string ReadName()
    {
        try
        {
            return new GatewayName(Path).Read();
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new GatewayStartException($"The data directory '{Path}' cannot be written to: {unusable.Message} Name another one with CERVER_DATA.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static DataDirectory Take(string path, Func<string, DataDirectory> take)
    {
        try
        {
            return take(path);
        }
        catch (UnauthorizedAccessException)
        {
            throw new GatewayStartException($"The data directory '{path}' cannot be written to. Name another one with CERVER_DATA.");
        }
        catch (IOException taken) when (taken.HResult == LockIsHeld)
        {
            throw new GatewayStartException(
                $"The data directory '{path}' is used by another gateway ({taken.Message}) Stop it, or name another directory with CERVER_DATA.");
        }
        catch (IOException failure) when (Directory.Exists(path))
        {
            throw new GatewayStartException($"The data directory '{path}' cannot be written to: {failure.Message} Name another one with CERVER_DATA.");
        }
        catch (IOException failure)
        {
            throw new GatewayStartException($"The data directory '{path}' cannot be created: {failure.Message} Name another one with CERVER_DATA.");
        }
    }

    private static DataDirectory Lock(string path) => new(path, new FileStream(
        System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));

    private static void CreatePrivately(string path)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    private static string PathIn(IConfiguration configuration) =>
        System.IO.Path.GetFullPath(configuration["CERVER_DATA"] is { Length: > 0 } named ? named : Usual());

    private static string Usual() => Environment.IsPrivilegedProcess
        ? "/var/lib/cerver"
        : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "cerver");
}
