using System.Diagnostics;
using Cerver.Bench.Gateways;
using Cerver.Grains.Storage.Postgres;
using Npgsql;

namespace Cerver.Tests.Storage;

/// <summary>
/// A real PostgreSQL for tests: one that is started from the installed programs, or the one that <c>CERVER_TEST_DB</c> names, a connection
/// string with which databases may be created.
/// </summary>
internal sealed class TestPostgres : IAsyncDisposable
{
    private const string ServerVariable = "CERVER_TEST_DB";

    private static readonly Lock Gate = new();
    private static Task<TestPostgres>? _shared;

    private readonly PostgresServer? _own;
    private readonly NpgsqlConnectionStringBuilder _connection;
    private readonly string _template = NewName();
    private Task? _templateMade;

    private TestPostgres(PostgresServer? own, string connectionString)
    {
        _own = own;
        _connection = new(connectionString);
    }

    /// <summary>The one server that most tests use, started with the first of them.</summary>
    public static Task<TestPostgres> Shared
    {
        get
        {
            lock (Gate)
            {
                return _shared ??= StartSharedAsync();
            }
        }
    }

    private PostgresServer Own => _own ?? throw new InvalidOperationException($"The server of {ServerVariable} is not ours.");

    /// <summary>Starts a server of the test's own, which it may stop and start.</summary>
    public static async Task<TestPostgres> StartOwnAsync()
    {
        var directory = new WorkDirectory(Directory.CreateTempSubdirectory("cerver-postgres-").FullName);
        ProcessKeeper.Clear(directory.Path);
        var server = await PostgresServer.StartAsync(directory, CancellationToken.None);
        return new(server, server.ConnectionTo("postgres"));
    }

    /// <summary>A connection string to a new database with the newest schema.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        await MakeTemplateAsync();
        return await CreateDatabaseAsync(NewName(), _template);
    }

    /// <summary>A connection string to a new database without any table.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => CreateDatabaseAsync(NewName(), "template0");

    /// <summary>Removes a database, whoever is connected to it.</summary>
    public Task DropDatabaseAsync(string connectionString) => ExecuteAsync($"drop database if exists {NameOf(connectionString)} with (force)");

    /// <summary>The connection string to a database of this server.</summary>
    public string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder(_connection.ToString()) { Database = database }.ToString();

    /// <summary>The name of the database that a connection string leads to.</summary>
    public static string NameOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).Database!;

    /// <summary>Stops the server at once: connections break, and the next start begins from the log.</summary>
    public Task KillAsync() => Own.CrashAsync(CancellationToken.None);

    /// <summary>Stops the server as an operator would: connections are told, transactions undone.</summary>
    public Task StopAsync() => Own.StopAsync(CancellationToken.None);

    /// <summary>Starts the server again after it was stopped.</summary>
    public Task StartAsync() => Own.StartAgainAsync(CancellationToken.None);

    /// <summary>Runs commands of a shell in a directory, with PostgreSQL's programs at hand and this server as theirs.</summary>
    public async Task RunAsync(string directory, string commands)
    {
        var start = new ProcessStartInfo("bash", ["-euc", commands])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PATH"] = $"{PostgresServer.Programs}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["PGHOST"] = _connection.Host;
        start.Environment["PGPORT"] = $"{_connection.Port}";
        start.Environment["PGUSER"] = _connection.Username;
        start.Environment["PGPASSWORD"] = _connection.Password;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"The commands ended with {process.ExitCode}: {await errors}{await output}");
    }

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<TestPostgres> StartSharedAsync()
    {
        if (Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } given)
        {
            var others = new TestPostgres(own: null, given);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => others.DropTemplate();
            return others;
        }

        // Its end is that of the tests: see the keeper.
        return await StartOwnAsync();
    }

    private Task MakeTemplateAsync()
    {
        lock (Gate)
        {
            return _templateMade ??= MigrateAsync();
        }

        async Task MigrateAsync()
        {
            await using var source = PostgresDatabase.Create(await CreateDatabaseAsync(_template, "template0") + ";Pooling=false");
            await PostgresSchema.MigrateAsync(source, CancellationToken.None);
        }
    }

    private async Task<string> CreateDatabaseAsync(string name, string template)
    {
        await ExecuteAsync($"create database {name} template {template}");
        return ConnectionTo(name);
    }

    private static string NewName() => $"cerver_{Guid.NewGuid():n}";

    private async Task ExecuteAsync(string statement)
    {
        // Without a pool: a connection to a template keeps others from copying it.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection.ToString()) { Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private void DropTemplate()
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection.ToString()) { Pooling = false }.ToString());
        connection.Open();
        using var command = new NpgsqlCommand($"drop database if exists {_template}", connection);
        command.ExecuteNonQuery();
    }
}
