using System.Diagnostics;
using Cerver.Bench.Faults;
using Npgsql;

namespace Cerver.Bench.Gateways;

/// <summary>
/// A real PostgreSQL that is started from the installed programs, in a directory and at a port of 127.0.0.1 of its own. What it
/// acknowledges is on disk, as it is after an installation. Disposing it stops it and removes all it kept.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string SuperUser = "postgres";
    private const string DefaultDatabase = "postgres";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private static readonly Lazy<string> InstalledPrograms = new(FindPrograms);

    private readonly WorkDirectory _directory;
    private readonly ServerProcess _process;
    private readonly NpgsqlConnectionStringBuilder _connection;

    private PostgresServer(WorkDirectory directory, ServerProcess process, NpgsqlConnectionStringBuilder connection)
    {
        _directory = directory;
        _process = process;
        _connection = connection;
    }

    /// <summary>The directory of the installed programs.</summary>
    /// <exception cref="BenchException">PostgreSQL is not installed.</exception>
    public static string Programs => InstalledPrograms.Value;

    /// <summary>The id of the process that all others of the server descend from.</summary>
    public int Id => _process.Id;

    /// <summary>The processor time that all of its processes have taken until now, those that have ended included.</summary>
    public TimeSpan ProcessorTime => HostProcesses.ProcessorTimeOf(Id);

    /// <summary>Makes a server of the newest version that is installed and waits until it takes connections.</summary>
    /// <param name="directory">
    /// An empty directory that is its own from now on; when the server's user cannot get there, it makes itself another one.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">PostgreSQL is not installed, or does not start.</exception>
    public static async Task<PostgresServer> StartAsync(WorkDirectory directory, CancellationToken cancellationToken)
    {
        var place = await ReachableAsync(directory, cancellationToken);
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = FreePort.Find(),
            Username = SuperUser,
            Password = GatewayProcess.NewToken(),
            Database = DefaultDatabase,
        };
        var data = Path.Combine(place.Path, "data");
        await InitializeAsync(place.Path, data, connection.Password, cancellationToken);
        string[] command =
        [
            .. AsOwner, Path.Combine(Programs, "postgres"), "-D", data, "-p", $"{connection.Port}",
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300",
        ];
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = place.Path };
        var server = new PostgresServer(place, ServerProcess.Start("PostgreSQL", start, Signal.Interrupt, StopTimeout), connection);
        try
        {
            await server.WaitUntilReadyAsync(cancellationToken);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        return server;
    }

    /// <summary>The connection string to a database of this server, for its superuser.</summary>
    public string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder(_connection.ToString()) { Database = database }.ToString();

    /// <summary>Makes a database.</summary>
    /// <param name="name">Its name: lower-case letters, digits and underscores.</param>
    /// <param name="template">What it is a copy of; without one it has no table.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The connection string to it.</returns>
    public async Task<string> CreateDatabaseAsync(string name, string template = "template0", CancellationToken cancellationToken = default)
    {
        await ExecuteAsync($"create database {name} template {template}", cancellationToken);
        return ConnectionTo(name);
    }

    /// <summary>Removes a database, whoever is connected to it.</summary>
    public Task DropDatabaseAsync(string name, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"drop database if exists {name} with (force)", cancellationToken);

    /// <summary>Stops it as <c>pg_ctl stop -m fast</c> does: whoever is connected is told, and transactions are undone.</summary>
    /// <exception cref="BenchException">It does not stop within a minute.</exception>
    public Task StopAsync(CancellationToken cancellationToken) => _process.StopAsync(cancellationToken);

    /// <summary>Stops it as <c>pg_ctl stop -m immediate</c> does, like a loss of power: the next start begins with the log.</summary>
    public async Task CrashAsync(CancellationToken cancellationToken)
    {
        _process.Send(Signal.Quit);
        await _process.Gone.WaitAsync(StopTimeout, cancellationToken);
    }

    /// <summary>Starts it again over the same data and at the same port, and returns when it takes connections.</summary>
    /// <exception cref="BenchException">It does not within a minute.</exception>
    public Task StartAgainAsync(CancellationToken cancellationToken)
    {
        _process.StartAgain();
        return WaitUntilReadyAsync(cancellationToken);
    }

    /// <summary>Runs a statement in the database that every server has.</summary>
    public async Task ExecuteAsync(string statement, CancellationToken cancellationToken)
    {
        // Without a pool: a connection from before a restart is of no use after it.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection.ToString()) { Pooling = false }.ToString());
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs one of PostgreSQL's programs to its end.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="BenchException">It ended with something other than 0.</exception>
    public static Task<string> RunAsync(string program, params IEnumerable<string> arguments) =>
        FinishAsync([Path.Combine(Programs, program), .. arguments], "/", CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>The server refuses to run as root.</summary>
    private static string[] AsOwner =>
        Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={SuperUser}", $"--regid={SuperUser}", "--init-groups"] : [];

    /// <summary>A checkout may be where only its owner gets.</summary>
    private static async Task<WorkDirectory> ReachableAsync(WorkDirectory directory, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return directory;
        }

        await FinishAsync(["chown", $"{SuperUser}:", directory.Path], "/", cancellationToken);
        try
        {
            await FinishAsync([.. AsOwner, "test", "-w", directory.Path], "/", cancellationToken);
            return directory;
        }
        catch (BenchException)
        {
            directory.Dispose();
            var other = new WorkDirectory(Directory.CreateTempSubdirectory("cerver-postgres-").FullName);
            await FinishAsync(["chown", $"{SuperUser}:", other.Path], "/", cancellationToken);
            return other;
        }
    }

    private static async Task InitializeAsync(string directory, string data, string password, CancellationToken cancellationToken)
    {
        var passwordFile = Path.Combine(directory, "password");
        await File.WriteAllTextAsync(passwordFile, password, cancellationToken);
        if (Environment.IsPrivilegedProcess)
        {
            await FinishAsync(["chown", $"{SuperUser}:", passwordFile], directory, cancellationToken);
        }

        await FinishAsync(
            [
                .. AsOwner, Path.Combine(Programs, "initdb"), "-D", data, $"--username={SuperUser}", "--auth=scram-sha-256", $"--pwfile={passwordFile}",
                "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
            ],
            directory,
            cancellationToken);
        File.Delete(passwordFile);
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(PollInterval);
        while (true)
        {
            try
            {
                await ExecuteAsync("select 1", cancellationToken);
                return;
            }
            catch (NpgsqlException refused)
            {
                if (_process.IsGone || Stopwatch.GetElapsedTime(started) > StartTimeout)
                {
                    throw new BenchException($"PostgreSQL did not start: {refused.Message} {_process.LastWords}");
                }
            }

            await poll.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static async Task<string> FinishAsync(string[] command, string directory, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0
            ? await output
            : throw new BenchException($"{Path.GetFileName(command[0])} ended with {process.ExitCode}: {await errors}{await output}");
    }

    private static string FindPrograms()
    {
        const string Installed = "/usr/lib/postgresql";
        var versions = Directory.Exists(Installed)
            ? Directory.GetDirectories(Installed).OrderByDescending(path => Path.GetFileName(path).Length).ThenByDescending(Path.GetFileName, StringComparer.Ordinal)
            : Enumerable.Empty<string>();
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':', StringSplitOptions.RemoveEmptyEntries);
        return versions.Select(version => Path.Combine(version, "bin")).Concat(onPath)
            .FirstOrDefault(place => File.Exists(Path.Combine(place, "postgres")) && File.Exists(Path.Combine(place, "initdb")))
            ?? throw new BenchException("PostgreSQL is not installed: apt-get install postgresql.");
    }
}
