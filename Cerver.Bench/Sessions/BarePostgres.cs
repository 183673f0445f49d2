using System.Globalization;
using System.Text.RegularExpressions;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Npgsql;

namespace Cerver.Bench.Sessions;

/// <summary>
/// <c>pgbench</c>: clients that insert a transcript entry and commit, again and again, with a prepared statement. What PostgreSQL gives
/// when every row is made durable by itself. The table is like the gateway's and on the same server.
/// </summary>
internal sealed partial class BarePostgres : IDisposable
{
    private const int Threads = 2;

    /// <summary>How much each client inserts before anything is known of the rate.</summary>
    private const int FirstRows = 100;

    /// <summary>Every run begins at positions that none before it has taken.</summary>
    private const long PositionsPerRun = 1_000_000_000;

    private const string Schema = """
        create schema bare;
        create table bare.transcript_entry (like public.transcript_entry including all);
        """;

    private const string Script = $"""
        \set session 100000000000 + :client_id
        \set position :position + 1
        insert into bare.transcript_entry (session_id, position, at, role, kind, content, append_id)
        values ('01940000-0000-7000-8000-' || :session, :position, 1764000000000000, 1, 'text', '{Entries.Content}', '01940000-0000-7000-8000-000000000000');
        """;

    private readonly WorkDirectory _directory;
    private readonly string _script;
    private readonly string _connection;
    private readonly Dictionary<int, double> _rates = [];
    private long _runs;

    private BarePostgres(WorkDirectory directory, string script, string connection)
    {
        _directory = directory;
        _script = script;
        _connection = connection;
    }

    /// <summary>Makes the table beside the gateway's.</summary>
    public static async Task<BarePostgres> CreateAsync(Repository repository, ClusterProcesses cluster, CancellationToken cancellationToken)
    {
        await PostgresFill.RunAsync(cluster, Schema, cancellationToken);
        var directory = repository.MakeWorkDirectory();
        var script = Path.Combine(directory.Path, "insert.sql");
        await File.WriteAllTextAsync(script, Script, cancellationToken);
        var known = new NpgsqlConnectionStringBuilder(cluster.Connection);
        return new(directory, script, $"host={known.Host} port={known.Port} user={known.Username} password={known.Password} dbname={known.Database}");
    }

    /// <summary>
    /// Inserts for about so many seconds and returns the rows per second. The first time for a number of clients it inserts few.
    /// </summary>
    /// <exception cref="BenchException">A row was not inserted.</exception>
    public async Task<double> MeasureAsync(int clients, int seconds)
    {
        // A number of rows and not a time: pgbench's time begins before it has connected, which takes seconds for hundreds of clients.
        var rows = _rates.TryGetValue(clients, out var known) ? Math.Max(FirstRows, (int)(known * seconds / clients)) : FirstRows;
        var first = _runs++ * PositionsPerRun;
        var said = await PostgresServer.RunAsync(
            "pgbench", "--no-vacuum", "--protocol=prepared", $"--file={_script}", $"--define=position={first}", $"--client={clients}", $"--jobs={Threads}",
            $"--transactions={rows}", _connection);
        return _rates[clients] = Rate().Match(said) is { Success: true } match
            ? double.Parse(match.Groups["rate"].Value, CultureInfo.InvariantCulture)
            : throw new BenchException($"pgbench says nothing of a rate: {said}");
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    [GeneratedRegex(@"^tps = (?<rate>[0-9.]+) \(without initial connection time\)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Rate();
}
