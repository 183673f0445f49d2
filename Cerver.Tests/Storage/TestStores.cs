using System.Text;
using Cerver.Computes;
using Cerver.Grains.Operations;
using Cerver.Grains.Operations.Postgres;
using Cerver.Grains.Operations.Sqlite;
using Cerver.Grains.Runs;
using Cerver.Grains.Runs.Postgres;
using Cerver.Grains.Runs.Sqlite;
using Cerver.Grains.Search;
using Cerver.Grains.Search.Postgres;
using Cerver.Grains.Search.Sqlite;
using Cerver.Grains.Secrets.Audit;
using Cerver.Grains.Secrets.Audit.Postgres;
using Cerver.Grains.Secrets.Audit.Sqlite;
using Cerver.Grains.Sessions;
using Cerver.Grains.Sessions.Postgres;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Storage;

/// <summary>The databases that the same tests run over.</summary>
public enum TestedDatabase
{
    /// <summary>A file.</summary>
    Sqlite,

    /// <summary>A database on a server.</summary>
    Postgres,
}

/// <summary>The stores over a real database of the test's own, whichever it is.</summary>
internal abstract class TestStores : IAsyncDisposable
{
    public const string Account = "account";

    public static readonly IOptions<SearchOptions> Searching = Options.Create(new SearchOptions());

    /// <summary>Everything that belongs to a session and could be left over.</summary>
    public const string CountRows = """
        select (select count(*) from transcript_entry) + (select count(*) from search_entry) + (select count(*) from run) + (select count(*) from run_output)
             + (select count(*) from session_event) + (select count(*) from idempotency) + (select count(*) from purge)
        """;

    public abstract ISessionStore Sessions { get; }

    public abstract IRunStore Runs { get; }

    public abstract IOperationStore Operations { get; }

    public abstract ISecretAuditStore Audit { get; }

    public abstract ISearchStore Search { get; }

    public abstract ISearchBacklogStore Backlog { get; }

    public static async Task<TestStores> CreateAsync(TestedDatabase database, TimeProvider? time = null) => database == TestedDatabase.Sqlite
        ? new SqliteStores(time ?? TimeProvider.System)
        : new PostgresStores(await PostgresTestDatabase.CreateAsync(), time ?? TimeProvider.System);

    /// <summary>Runs statements behind the stores' back and gives the first value.</summary>
    public abstract Task<object?> ScalarAsync(string text);

    public abstract Task<IReadOnlyList<string>> FindViolationsAsync();

    /// <summary>From now on no entry can be deleted. It fails as a full disk does: the whole batch, and not for good.</summary>
    public abstract Task RefuseToEraseAsync();

    /// <summary>From now on entries can be deleted again.</summary>
    public abstract Task AllowToEraseAsync();

    public abstract ValueTask DisposeAsync();

    /// <summary>A session with entries, operations and runs with output. All of them hold the word.</summary>
    public async Task<string> FillAsync(string word, int rounds)
    {
        var record = await NewAsync(word);
        for (var round = 0; round < rounds; round++)
        {
            record = await AddAsync(record, word, round);
        }

        return record.SessionId;
    }

    public async Task<SessionRecord> NewAsync(string word)
    {
        var now = UnixMicroseconds.Round(TimeProvider.System.GetUtcNow());
        var request = GrainCluster.Request(ComputeChoice.None, metadata: $$"""{"note": "{{word}}"}""", name: word);
        var record = SessionRules.NewRecord(request, Account, Ids.NewSession(TimeProvider.System), now);
        await Sessions.CommitAsync(SessionChange.From(record, now, rewrites: true, []), CancellationToken.None);
        return record with { Version = 1 };
    }

    /// <summary>Adds an entry, an operation, and a run with output. All of them hold the word.</summary>
    public async Task<SessionRecord> AddAsync(SessionRecord record, string word, int round)
    {
        var now = UnixMicroseconds.Round(TimeProvider.System.GetUtcNow());
        var text = string.Join(' ', Enumerable.Repeat(word, (round % 7 * 300) + 1));
        var run = new RunRecord(
            Ids.NewRun(TimeProvider.System), record.SessionId, "sandbox", SandboxRuntime.Shell, text, RunStatus.Running, ExitCode: null, Truncated: false,
            OutputHead: 0, now, EndedAt: null);
        var change = SessionChange.From(record, now, rewrites: true, [GrainCluster.Text(text) with { At = now }]) with
        {
            Started = run,
            Recorded = new RecordedOperation($"{record.SessionId} {round}", [1], $"\"{word}\""),
        };
        await Sessions.CommitAsync(change, CancellationToken.None);
        await Runs.AppendOutputAsync(record.SessionId, run.RunId, [new RunChunk(1, OutputKind.Stdout, Encoding.UTF8.GetBytes(text))], CancellationToken.None);
        var end = SessionChange.From(change.Next, now, rewrites: true, []) with
        {
            Ended = [new RunEnd(run.RunId, RunStatus.Exited, ExitCode: 0, Truncated: false, OutputHead: 1, now, Output: "")],
        };
        await Sessions.CommitAsync(end, CancellationToken.None);
        return end.Next;
    }
}

/// <summary>The stores over a SQLite file.</summary>
internal sealed class SqliteStores : TestStores
{
    private readonly SqliteReaders _readers;
    private readonly SqliteSearchStore _search;
    private readonly SqliteSearchIndex _index = new();

    public SqliteStores(TimeProvider time)
    {
        _readers = new SqliteReaders(Database.Database, NullLogger<SqliteReaders>.Instance);
        Pipeline = new SqliteCommitPipeline(Database.Database, new StorageFailure(), NullLogger<SqliteCommitPipeline>.Instance);
        Runs = new SqliteRunStore(_readers, Pipeline);
        Operations = new SqliteOperationStore(_readers, Pipeline, time);
        Audit = new SqliteSecretAuditStore(_readers, Pipeline, Options.Create(new SecretAuditOptions()), time);
        _search = new SqliteSearchStore(_readers, time, NullLogger<SqliteSearchStore>.Instance);
        Sessions = new SqliteSessionStore(_readers, Pipeline, new SqlitePurge(_readers, Pipeline, time, NullLogger<SqlitePurge>.Instance), _index, Searching, time);
    }

    public TemporaryDatabase Database { get; } = new();

    public SqliteCommitPipeline Pipeline { get; }

    public override ISessionStore Sessions { get; }

    public override IRunStore Runs { get; }

    public override IOperationStore Operations { get; }

    public override ISecretAuditStore Audit { get; }

    public override ISearchStore Search => _search;

    public override ISearchBacklogStore Backlog => new SqliteSearchBacklog(_readers, Pipeline, _index);

    public override Task<object?> ScalarAsync(string text) => Task.FromResult(Database.Scalar(text));

    public override Task<IReadOnlyList<string>> FindViolationsAsync()
    {
        using var connection = Database.Database.OpenReadOnly();
        return Task.FromResult(SqliteCheck.FindViolations(connection));
    }

    public override Task RefuseToEraseAsync() =>
        ScalarAsync("create trigger refusal before delete on transcript_entry begin select there_is_no_such_function(); end");

    public override Task AllowToEraseAsync() => ScalarAsync("drop trigger refusal");

    public override async ValueTask DisposeAsync()
    {
        await Pipeline.DisposeAsync();
        _search.Dispose();
        _readers.Dispose();
        Database.Dispose();
    }
}

/// <summary>The stores over a PostgreSQL database.</summary>
internal sealed class PostgresStores : TestStores
{
    private readonly bool _ownsDatabase;

    public PostgresStores(PostgresTestDatabase database, TimeProvider time, bool ownsDatabase = true)
    {
        _ownsDatabase = ownsDatabase;
        Database = database;
        var connections = new PostgresConnections(database.Source, NullLogger<PostgresConnections>.Instance);
        Pipeline = new PostgresCommitPipeline(connections, NullLogger<PostgresCommitPipeline>.Instance);
        Runs = new PostgresRunStore(connections, Pipeline);
        Operations = new PostgresOperationStore(connections, time);
        Audit = new PostgresSecretAuditStore(connections, Options.Create(new SecretAuditOptions()), time);
        Search = new PostgresSearchStore(connections);
        Backlog = new PostgresSearchBacklog(connections);
        Sessions = new PostgresSessionStore(connections, Pipeline, new PostgresPurge(connections, time, NullLogger<PostgresPurge>.Instance), Searching, time);
    }

    public PostgresTestDatabase Database { get; }

    public PostgresCommitPipeline Pipeline { get; }

    public override ISessionStore Sessions { get; }

    public override IRunStore Runs { get; }

    public override IOperationStore Operations { get; }

    public override ISecretAuditStore Audit { get; }

    public override ISearchStore Search { get; }

    public override ISearchBacklogStore Backlog { get; }

    public override Task<object?> ScalarAsync(string text) => Database.ScalarAsync(text);

    public override Task<IReadOnlyList<string>> FindViolationsAsync() => PostgresCheck.FindViolationsAsync(Database.Source, CancellationToken.None);

    public override Task RefuseToEraseAsync() => ScalarAsync("""
        create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused' using errcode = '53100'; end $$;
        create trigger refusal before delete on transcript_entry for each row execute function refuse();
        """);

    public override Task AllowToEraseAsync() => ScalarAsync("drop trigger refusal on transcript_entry");

    public override async ValueTask DisposeAsync()
    {
        await Pipeline.DisposeAsync();
        if (_ownsDatabase)
        {
            await Database.DisposeAsync();
        }
    }
}
