using Cerver.Grains.Storage.Postgres;
using Npgsql;

namespace Cerver.Tests.Storage;

/// <summary>A real PostgreSQL database of the test's own, with the newest schema.</summary>
internal sealed class PostgresTestDatabase : IAsyncDisposable
{
    private readonly TestPostgres _server;

    private PostgresTestDatabase(TestPostgres server, string connectionString)
    {
        _server = server;
        ConnectionString = connectionString;
        Source = PostgresDatabase.Create(connectionString);
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource Source { get; }

    public static Task<PostgresTestDatabase> CreateAsync() => CreateAsync(server: null);

    public static async Task<PostgresTestDatabase> CreateAsync(TestPostgres? server)
    {
        server ??= await TestPostgres.Shared;
        return new(server, await server.CreateDatabaseAsync());
    }

    /// <summary>A database that is there already.</summary>
    public static PostgresTestDatabase Open(TestPostgres server, string name) => new(server, server.ConnectionTo(name));

    /// <summary>The same database by way of another port of 127.0.0.1.</summary>
    public PostgresTestDatabase Through(int port) =>
        new(_server, new NpgsqlConnectionStringBuilder(ConnectionString) { Host = "127.0.0.1", Port = port }.ToString());

    /// <summary>Runs statements and gives the first value.</summary>
    public async Task<object?> ScalarAsync(string text)
    {
        await using var command = Source.CreateCommand(text);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _server.DropDatabaseAsync(ConnectionString);
    }
}
