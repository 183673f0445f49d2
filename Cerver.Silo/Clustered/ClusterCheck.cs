using Cerver.Grains.Storage.Postgres;

namespace Cerver.Silo.Clustered;

/// <summary>
/// The command <c>check</c> over PostgreSQL: looks whether what is stored keeps the rules of the log. It only reads, as a user who may do no more, and may be run while
/// the cluster works. What the disk has done to the database is for PostgreSQL's own tools.
/// </summary>
internal static class ClusterCheck
{
    /// <summary>Prints a line per violation and a summary.</summary>
    /// <param name="configuration">Has the connection string.</param>
    /// <param name="output">Where to.</param>
    /// <returns>The exit code: 0 when nothing was found, else 1.</returns>
    /// <exception cref="Cerver.Api.Hosting.GatewayStartException">There is no connection string, it cannot be read, or the schema is another one.</exception>
    /// <exception cref="System.Data.Common.DbException">The database does not answer.</exception>
    public static async Task<int> RunAsync(IConfiguration configuration, TextWriter output)
    {
        await using var database = await ClusterDatabase.OpenToReadAsync(configuration, CancellationToken.None);
        var found = await PostgresCheck.FindViolationsAsync(database, CancellationToken.None);
        foreach (var line in found)
        {
            await output.WriteLineAsync(line);
        }

        await output.WriteLineAsync(found.Count == 0
            ? "Nothing is wrong."
            : $"{found.Count} violations. Restore the database from a backup, or report them if nobody else has written to it.");
        return found.Count == 0 ? 0 : 1;
    }
}
