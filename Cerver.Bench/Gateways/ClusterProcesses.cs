using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Cerver.Bench.Gateways;

/// <summary>How large a cluster is.</summary>
/// <param name="Silos">How many silos, 1 .. 9.</param>
/// <param name="FrontDoors">How many front doors, 0 .. 9.</param>
/// <param name="SilosServe">Whether the silos serve the Api too, or no HTTP but probes.</param>
/// <param name="Index">Whether what is said is indexed.</param>
internal sealed record ClusterSize(int Silos, int FrontDoors, bool SilosServe = false, bool Index = true);

/// <summary>
/// A cluster on this machine: PostgreSQL, silos and front doors, each a process, all at ports of 127.0.0.1. Disposing it stops them.
/// </summary>
internal sealed class ClusterProcesses : IAsyncDisposable
{
    private const string Database = "cerver";

    /// <summary>Silos of one machine share its users: each has user ids of its own for its sandboxes.</summary>
    private const long FirstUserId = 1_900_000_000;

    private const int UserIdsPerSilo = 1_024;

    /// <summary>How many hexadecimal digits name a host.</summary>
    private const int HostLength = 8;

    private readonly WorkDirectory _work;
    private readonly string _gatewayPath;
    private readonly string? _logs;
    private readonly Action<ClusterMember, int> _ended;

    private ClusterProcesses(WorkDirectory work, PostgresServer postgres, string gatewayPath, string? logs, Action<ClusterMember, int> ended)
    {
        _work = work;
        _gatewayPath = gatewayPath;
        _logs = logs;
        _ended = ended;
        Postgres = postgres;
    }

    /// <summary>The database.</summary>
    public PostgresServer Postgres { get; }

    /// <summary>The connection string to its database, for the superuser of the server.</summary>
    public string Connection => Postgres.ConnectionTo(Database);

    /// <summary>The silos.</summary>
    public ImmutableArray<ClusterMember> Silos { get; private set; } = [];

    /// <summary>The front doors.</summary>
    public ImmutableArray<ClusterMember> FrontDoors { get; private set; } = [];

    /// <summary>All silos and front doors.</summary>
    public ImmutableArray<ClusterMember> Members => [.. Silos, .. FrontDoors];

    /// <summary>The key of its one account.</summary>
    public string Token { get; } = GatewayProcess.NewToken();

    /// <summary>A word that stands in the paths of all its data and nowhere else on this machine.</summary>
    public string Mark => Path.GetFileName(_work.Path);

    /// <summary>Starts a cluster over an empty database and waits until all of it is ready.</summary>
    /// <param name="size">How large.</param>
    /// <param name="gatewayPath">The main assembly of the gateway's build; the front door's is beside it.</param>
    /// <param name="repository">Where its data goes.</param>
    /// <param name="logs">A directory that gets all they print, a file each, or null.</param>
    /// <param name="ended">Is told of a process that ended by itself, with its exit code.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">Something does not become ready.</exception>
    public static async Task<ClusterProcesses> StartAsync(
        ClusterSize size, string gatewayPath, Repository repository, string? logs, Action<ClusterMember, int> ended, CancellationToken cancellationToken)
    {
        var work = repository.MakeWorkDirectory();
        var directory = Directory.CreateDirectory(Path.Combine(work.Path, "postgres"));
        var postgres = await PostgresServer.StartAsync(new WorkDirectory(directory.FullName), cancellationToken);
        var cluster = new ClusterProcesses(work, postgres, gatewayPath, logs, ended);
        try
        {
            await postgres.CreateDatabaseAsync(Database, cancellationToken: cancellationToken);

            // All at once, and each brings the schema up to date, or finds that another one has.
            var ports = FreePort.Find((3 * size.Silos) + size.FrontDoors);
            cluster.Silos = [.. Enumerable.Range(0, size.Silos).Select(number => cluster.StartSilo(number, size, [.. ports.Skip(3 * number)]))];
            cluster.FrontDoors = [.. Enumerable.Range(0, size.FrontDoors).Select(number => cluster.StartFrontDoor(number, ports[(3 * size.Silos) + number]))];
            await cluster.WaitUntilReadyAsync(cancellationToken);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return cluster;
    }

    /// <summary>Waits until all silos and front doors are ready.</summary>
    /// <exception cref="BenchException">One does not become ready.</exception>
    public Task WaitUntilReadyAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Members.Select(member => member.WaitUntilReadyAsync(cancellationToken)));

    /// <summary>Runs the gateway's own check of the database.</summary>
    /// <returns>What the check says is wrong, a line each.</returns>
    public Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellationToken) => GatewayProcess.CheckAsync(_gatewayPath, DatabaseSettings, cancellationToken);

    /// <summary>The host of a silo's sandboxes; null for a front door, which has none.</summary>
    public string? HostOf(ClusterMember member)
    {
        // The name that the silo gave itself, and its data directory with it.
        var name = Path.Combine(DataPathOf(member.Name), "gateway");
        return File.Exists(name) ? HostOf($"silo-{File.ReadAllText(name)}") : null;
    }

    /// <summary>The host of a silo's sandboxes, by the name that the silo has in the cluster: 8 hexadecimal digits.</summary>
    public static string HostOf(string siloName) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(siloName)).AsSpan(0, HostLength / 2));

    /// <summary>The hosts of the sandboxes of all runs that there are, by the run's id.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReadHostsAsync(CancellationToken cancellationToken)
    {
        // Nobody but the database tells of a run's sandbox. An id of one ends with its host.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Connection) { Pooling = false }.ToString());
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"select run_id, right(sandbox_id, {HostLength}) from run";
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var hosts = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancellationToken))
        {
            hosts.Add(rows.GetString(0), rows.GetString(1));
        }

        return hosts;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(FrontDoors.Select(door => door.DisposeAsync().AsTask()));
        await Task.WhenAll(Silos.Select(silo => silo.DisposeAsync().AsTask()));
        await Postgres.DisposeAsync();
        _work.Dispose();
    }

    private Dictionary<string, string> DatabaseSettings => new()
    {
        ["Cerver__Storage"] = "Postgres",
        ["ConnectionStrings__Cerver"] = Connection,
    };

    private ClusterMember StartSilo(int number, ClusterSize size, IReadOnlyList<int> ports)
    {
        var name = $"silo-{number + 1}";
        return Start(name, _gatewayPath, ports[0], new()
        {
            ["Cerver__Api__Enabled"] = size.SilosServe ? "true" : "false",
            ["Cerver__Search__Enabled"] = size.Index ? "true" : "false",
            ["CERVER_API_TOKEN"] = Token,
            ["Cerver__Cluster__AdvertisedAddress"] = $"{IPAddress.Loopback}",
            ["Cerver__Cluster__SiloPort"] = ports[1].ToString(CultureInfo.InvariantCulture),
            ["Cerver__Cluster__GatewayPort"] = ports[2].ToString(CultureInfo.InvariantCulture),
            ["Cerver__Compute__Local__FirstUserId"] = (FirstUserId + (number * UserIdsPerSilo)).ToString(CultureInfo.InvariantCulture),
            ["Cerver__Compute__Local__UserIdCount"] = UserIdsPerSilo.ToString(CultureInfo.InvariantCulture),
            ["CERVER_DATA"] = DataPathOf(name),
        });
    }

    private string DataPathOf(string silo) => Path.Combine(_work.Path, silo);

    private ClusterMember StartFrontDoor(int number, int port) =>
        Start($"front-door-{number + 1}", Path.Combine(Path.GetDirectoryName(_gatewayPath)!, "Cerver.Api.dll"), port, new() { ["CERVER_API_TOKEN"] = Token });

    private ClusterMember Start(string name, string assembly, int port, Dictionary<string, string> settings)
    {
        var endpoint = new IPEndPoint(IPAddress.Loopback, port);
        var start = new ProcessStartInfo("dotnet", [assembly]);
        start.Environment["ASPNETCORE_URLS"] = $"http://{endpoint}";
        foreach (var (setting, value) in DatabaseSettings.Concat(settings))
        {
            start.Environment[setting] = value;
        }

        return ClusterMember.Start(name, start, endpoint, _logs is null ? null : Path.Combine(_logs, $"{name}.log"), _ended);
    }
}
