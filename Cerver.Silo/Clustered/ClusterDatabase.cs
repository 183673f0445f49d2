using Cerver.Api.Hosting;
using Cerver.Grains.Storage.Postgres;
using Npgsql;

namespace Cerver.Silo.Clustered;

/// <summary>The database of a cluster, as a process opens it.</summary>
internal static class ClusterDatabase
{
    /// <summary>Connects for a silo, and sees to it that the schema is the one that this version knows and the numbers of changes go on.</summary>
    /// <param name="configuration">Has the connection string.</param>
    /// <param name="migrates">Whether to bring the schema up to date, or only to look at it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="GatewayStartException">There is no connection string, it cannot be read, or the schema is another one.</exception>
    /// <exception cref="System.Data.Common.DbException">The database does not answer.</exception>
    public static Task<NpgsqlDataSource> OpenAsync(IConfiguration configuration, bool migrates, CancellationToken cancellationToken) => OpenAsync(
        configuration,
        async database =>
        {
            await (migrates ? PostgresSchema.MigrateAsync(database, cancellationToken) : PostgresSchema.RequireCurrentAsync(database, cancellationToken));
            await PostgresSchema.ContinueChangesAsync(database, cancellationToken);
        });

    /// <summary>Connects to read, and makes sure that the schema is the one that this version knows. Nothing is written, and the right to read is enough.</summary>
    /// <inheritdoc cref="OpenAsync(IConfiguration, bool, CancellationToken)"/>
    public static Task<NpgsqlDataSource> OpenToReadAsync(IConfiguration configuration, CancellationToken cancellationToken) =>
        OpenAsync(configuration, database => PostgresSchema.RequireCurrentAsync(database, cancellationToken));

    /// <summary>The command <c>migrate</c>: brings the schema up to date and ends.</summary>
    /// <param name="args">Settings; they win over the environment.</param>
    /// <param name="output">Where to say that it is done.</param>
    public static async Task<int> MigrateAsync(string[] args, TextWriter output)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        await using var database = await OpenAsync(configuration, static database => PostgresSchema.MigrateAsync(database, CancellationToken.None));
        await output.WriteLineAsync("The schema is up to date.");
        return 0;
    }

    private static async Task<NpgsqlDataSource> OpenAsync(IConfiguration configuration, Func<NpgsqlDataSource, Task> prepare)
    {
        var database = Create(ClusterSettings.ConnectionIn(configuration));
        try
        {
            await prepare(database);
            return database;
        }
        catch (InvalidOperationException other)
        {
            await database.DisposeAsync();
            throw new GatewayStartException(other.Message);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    private static NpgsqlDataSource Create(string connection)
    {
        try
        {
            return PostgresDatabase.Create(connection);
        }
        catch (ArgumentException unreadable)
        {
            throw new GatewayStartException($"ConnectionStrings:{ClusterSettings.ConnectionName} cannot be read: {unreadable.Message}");
        }
    }
}
