using System.Diagnostics;
using System.Text;
using Cerver.Grains.Storage.Postgres;
using Npgsql;

namespace Cerver.Tests.Storage;

/// <summary>
/// A real PostgreSQL: one that is started from the installed programs, in a directory of its own and reached through a socket there, or the one that
/// <c>CERVER_TEST_DB</c> names, a connection string with which databases may be created.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string ServerVariable = "CERVER_TEST_DB";

    /// <summary>
    /// Runs the server until standard input ends, which it does when the tests end, however they end. It must stop with them: nobody else knows of it.
    /// </summary>
    private const string Keeper = """
        directory=$1; shift
        "$@" >"$directory/log" 2>&1 </dev/null &
        server=$!
        while read -r; do :; done
        kill -INT "$server" 2>/dev/null
        wait "$server"
        """;

    private static readonly Lock Gate = new();
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string? _directory;
    private readonly string _connectionString;
    private readonly string _template = NewName();
    private static Task<PostgresServer>? _shared;
    private Task? _templateMade;
    private Process? _keeper;

    private PostgresServer(string? directory, string connectionString)
    {
        _directory = directory;
        _connectionString = connectionString;
    }

    /// <summary>The one server that most tests use, started with the first of them.</summary>
    public static Task<PostgresServer> Shared
    {
        get
        {
            lock (Gate)
            {
                return _shared ??= StartAsync(fromEnvironment: true);
            }
        }
    }

    /// <summary>Where the installed programs are.</summary>
    public static string Programs { get; } = FindPrograms();

    /// <summary>The directory of its socket, for programs that connect to it.</summary>
    public string SocketDirectory => _directory ?? throw new InvalidOperationException($"The server of {ServerVariable} is not ours.");

    /// <summary>Starts a server of the test's own, which it may stop and start.</summary>
    public static Task<PostgresServer> StartOwnAsync() => StartAsync(fromEnvironment: false);

    /// <summary>A connection string to a new database with the newest schema.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        await MakeTemplateAsync();
        return await CreateDatabaseAsync(NewName(), _template);
    }

    /// <summary>A connection string to a new database without any table.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => CreateDatabaseAsync(NewName(), "template0");

    /// <summary>Removes a database, whoever is connected to it.</summary>
    public async Task DropDatabaseAsync(string connectionString) =>
        await ExecuteAsync($"drop database if exists {NameOf(connectionString)} with (force)");

    /// <summary>The connection string to a database of this server.</summary>
    public string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder(_connectionString) { Database = database, Pooling = true }.ToString();

    /// <summary>The name of the database that a connection string leads to.</summary>
    public static string NameOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).Database!;

    /// <summary>Stops the server at once: connections break, and the next start begins from the log.</summary>
    public async Task KillAsync()
    {
        Signal("QUIT");
        await StopKeeperAsync();
    }

    /// <summary>Stops the server as an operator would: connections are told, transactions undone.</summary>
    public Task StopAsync() => StopKeeperAsync();

    /// <summary>Starts the server again after it was stopped.</summary>
    public async Task StartAsync()
    {
        var directory = SocketDirectory;
        _keeper = Run(
            "bash",
            ["-c", Keeper, "keeper", directory, .. AsOwner, Path.Combine(Programs, "postgres"), "-D", Path.Combine(directory, "data"), "-k", directory,
             "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=64MB"],
            keepsInput: true);
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await ExecuteAsync("select 1");
                return;
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(began) < StartLimit && !_keeper.HasExited)
            {
                await Task.Yield();
            }
            catch (NpgsqlException failed)
            {
                throw new InvalidOperationException($"PostgreSQL did not start: {await File.ReadAllTextAsync(Path.Combine(directory, "log"))}", failed);
            }
        }
    }

    /// <summary>Runs commands of a shell in a directory, with PostgreSQL's programs at hand and this server as theirs.</summary>
    public async Task RunAsync(string directory, string commands) => await FinishAsync(Run(
        "env",
        ["-C", directory, $"PATH={Programs}:{Environment.GetEnvironmentVariable("PATH")}", $"PGHOST={SocketDirectory}", "PGUSER=postgres", "bash", "-euc", commands],
        keepsInput: false));

    public async ValueTask DisposeAsync()
    {
        if (_keeper is not null)
        {
            await StopKeeperAsync();
            Directory.Delete(SocketDirectory, recursive: true);
        }
    }

    /// <summary>The server refuses to run as root.</summary>
    private static string[] AsOwner => Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : [];

    private static async Task<PostgresServer> StartAsync(bool fromEnvironment)
    {
        if (fromEnvironment && Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } given)
        {
            var others = new PostgresServer(directory: null, given);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => others.DropTemplate();
            return others;
        }

        var directory = Directory.CreateTempSubdirectory("cerver-postgres-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            await FinishAsync(Run("chown", ["postgres:postgres", directory], keepsInput: false));
        }

        await FinishAsync(Run(
            "env",
            ["-C", directory, .. AsOwner, Path.Combine(Programs, "initdb"), "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
             "-D", Path.Combine(directory, "data")],
            keepsInput: false));
        var server = new PostgresServer(directory, $"Host={directory};Username=postgres;Database=postgres;Pooling=false");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Abandon();
        await server.StartAsync();
        return server;
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
        return new NpgsqlConnectionStringBuilder(_connectionString) { Database = name, Pooling = true }.ToString();
    }

    private static string NewName() => $"cerver_{Guid.NewGuid():n}";

    private async Task ExecuteAsync(string statement)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private void Signal(string signal)
    {
        var pid = File.ReadLines(Path.Combine(SocketDirectory, "data", "postmaster.pid")).First();
        using var kill = Run("kill", ["-" + signal, pid], keepsInput: false);
        kill.WaitForExit();
    }

    private async Task StopKeeperAsync()
    {
        _keeper!.StandardInput.Close();
        await _keeper.WaitForExitAsync();
        _keeper.Dispose();
    }

    /// <summary>The tests are over. The keeper sees that too and stops the server.</summary>
    private void Abandon()
    {
        if (Directory.Exists(_directory))
        {
            Signal("QUIT");
            _keeper!.WaitForExit(TimeSpan.FromSeconds(5));
            Directory.Delete(_directory, recursive: true);
        }
    }

    private void DropTemplate()
    {
        using var connection = new NpgsqlConnection(_connectionString);
        connection.Open();
        using var command = new NpgsqlCommand($"drop database if exists {_template}", connection);
        command.ExecuteNonQuery();
    }

    private static Process Run(string program, IEnumerable<string> arguments, bool keepsInput)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = !keepsInput,
            RedirectStandardError = !keepsInput,
        };
        var process = Process.Start(start)!;
        if (!keepsInput)
        {
            process.StandardInput.Close();
        }

        return process;
    }

    private static async Task FinishAsync(Process process)
    {
        using (process)
        {
            var said = new StringBuilder();
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            said.Append(await output).Append(await errors);
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"{process.StartInfo.FileName} ended with {process.ExitCode}: {said}");
            }
        }
    }

    private static string FindPrograms()
    {
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(path => Path.GetFileName(path).Length).ThenByDescending(Path.GetFileName).Select(path => Path.Combine(path, "bin"))
            : [];
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return installed.Concat(onPath).FirstOrDefault(path => File.Exists(Path.Combine(path, "postgres")) && File.Exists(Path.Combine(path, "initdb")))
            ?? throw new InvalidOperationException(
                $"These tests need PostgreSQL: install it (apt-get install postgresql), or name a server where databases may be created in {ServerVariable}.");
    }
}
