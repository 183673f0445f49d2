using Cerver.Api.Hosting;
using Cerver.Grains.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace Cerver.Silo.Standalone;

/// <summary>
/// The command <c>check</c>: looks at everything in a data directory that no gateway uses. It writes to no database. It takes the
/// directory's lock, a file that it makes when there is none, and SQLite may leave an empty log (<c>-wal</c>) and its index (<c>-shm</c>)
/// beside a database.
/// </summary>
internal static class DataCheck
{
    /// <summary>Prints a line per violation and a summary per file.</summary>
    /// <param name="args">Settings, of which <c>--CERVER_DATA DIRECTORY</c> counts; it wins over the environment.</param>
    /// <param name="output">Where to.</param>
    /// <returns>The exit code: 0 when nothing was found, else 1.</returns>
    /// <exception cref="GatewayStartException">The directory has no database, cannot be read, or is used by a gateway.</exception>
    public static int Run(string[] args, TextWriter output)
    {
        using var data = DataDirectory.OpenExisting(new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build());
        var found = Check(data.DatabasePath, output, holdsLog: true) + Check(data.GrainStatePath, output, holdsLog: false);
        return found == 0 ? 0 : 1;
    }

    private static int Check(string path, TextWriter output, bool holdsLog)
    {
        var found = File.Exists(path) ? Find(new SqliteDatabase(path), holdsLog) : ["It is missing. The next start would begin with an empty one."];
        foreach (var line in found)
        {
            output.WriteLine($"{Path.GetFileName(path)}: {line}");
        }

        output.WriteLine(found.Count == 0
            ? $"{path}: nothing is wrong."
            : $"{path}: {found.Count} violations. Restore the data directory from a backup, or report them if it is none of the disk's doing.");
        return found.Count;
    }

    private static IReadOnlyList<string> Find(SqliteDatabase database, bool holdsLog)
    {
        try
        {
            using var connection = database.OpenReadOnly();
            var damage = SqliteCheck.FindDamage(connection);

            // What is damaged breaks rules that nobody broke.
            return damage.Count > 0 || !holdsLog ? damage : SqliteCheck.FindViolations(connection);
        }
        catch (SqliteException unreadable)
        {
            return [unreadable.Message];
        }
    }
}
