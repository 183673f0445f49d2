using System.Text;
using Cerver.Grains.Operations;
using Cerver.Grains.Runs.Sqlite;
using Cerver.Grains.Sessions;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Sessions;

/// <summary>What becomes of the rows of a session that is erased.</summary>
public sealed class SqlitePurgeTests : IAsyncDisposable
{
    private const string Account = "account";

    /// <summary>Everything that belongs to a session and could be left over.</summary>
    private const string CountRows = """
        select (select count(*) from transcript_entry) + (select count(*) from run) + (select count(*) from run_output)
             + (select count(*) from session_event) + (select count(*) from idempotency) + (select count(*) from purge)
        """;

    private readonly TemporaryDatabase _database = new();
    private readonly SqliteReaders _readers;
    private readonly SqliteCommitPipeline _pipeline;
    private readonly SqliteRunStore _runs;
    private readonly SqliteSessionStore _sessions;

    public SqlitePurgeTests()
    {
        _readers = new SqliteReaders(_database.Database, NullLogger<SqliteReaders>.Instance);
        _pipeline = new SqliteCommitPipeline(_database.Database, new StorageFailure(), NullLogger<SqliteCommitPipeline>.Instance);
        _runs = new SqliteRunStore(_readers, _pipeline);
        _sessions = new SqliteSessionStore(
            _readers, _pipeline, new SqlitePurge(_readers, _pipeline, TimeProvider.System, NullLogger<SqlitePurge>.Instance), TimeProvider.System);
    }

    [Fact]
    public async Task An_erasure_that_fails_when_the_session_is_out_of_sight_is_a_success_and_upkeep_finishes_it()
    {
        var session = await FillAsync("secret", rounds: 3);
        RefuseToErase();

        await _sessions.PurgeAsync(Account, session, operation: null, CancellationToken.None);
        var found = await _sessions.FindAsync(Account, session, CancellationToken.None);
        var left = (long)_database.Scalar(CountRows)!;
        _database.Scalar("drop trigger refusal");
        await new PurgeUpkeep(_sessions).RunAsync(CancellationToken.None);

        Assert.Null(found);
        Assert.NotEqual(0, left);
        Assert.Equal(0L, _database.Scalar(CountRows));
    }

    [Fact]
    public async Task Erasures_of_the_same_session_at_the_same_time_do_no_more_than_one()
    {
        var kept = await FillAsync("kept", rounds: 3);
        var rows = _database.Scalar(CountRows);
        var session = await FillAsync("secret", rounds: 400);
        RefuseToErase();
        await _sessions.PurgeAsync(Account, session, operation: null, CancellationToken.None);
        _database.Scalar("drop trigger refusal");

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _sessions.ResumePurgesAsync(CancellationToken.None))));

        Assert.Equal(rows, _database.Scalar(CountRows));
        Assert.NotNull(await _sessions.FindAsync(Account, kept, CancellationToken.None));
        using var connection = _database.Database.OpenReadOnly();
        Assert.Empty(SqliteCheck.FindViolations(connection));
    }

    [Fact]
    public async Task What_was_erased_is_in_no_file_any_more()
    {
        // Rows of both lie in the same pages, and some go over several.
        var kept = await NewAsync("plain");
        var erased = await NewAsync("secret");
        for (var round = 0; round < 120; round++)
        {
            kept = await AddAsync(kept, "plain", round);
            erased = await AddAsync(erased, "secret", round);
        }

        var before = Occurrences("secret");
        await _sessions.PurgeAsync(Account, erased.SessionId, operation: null, CancellationToken.None);
        await AfterCheckpointAsync();

        Assert.NotEqual(0, before);
        Assert.Equal(0, Occurrences("secret"));
        Assert.NotEqual(0, Occurrences("plain"));
    }

    [Fact]
    public async Task A_reader_that_needs_the_log_makes_nobody_wait_and_puts_off_that_it_is_emptied()
    {
        var session = await FillAsync("secret", rounds: 3);
        using (var connection = _database.Database.Open())
        using (var snapshot = connection.BeginTransaction(deferred: true))
        using (var command = connection.CreateCommand())
        {
            command.Transaction = snapshot;
            command.CommandText = CountRows;
            await command.ExecuteScalarAsync();
            await _sessions.PurgeAsync(Account, session, operation: null, CancellationToken.None);
            await AfterCheckpointAsync();

            Assert.NotEqual(0, Occurrences("secret"));
        }

        await AfterCheckpointAsync();

        Assert.Equal(0, Occurrences("secret"));
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        _readers.Dispose();
        _database.Dispose();
    }

    /// <summary>From now on no entry can be deleted. It fails as a full disk does: the whole batch, and not for good.</summary>
    private void RefuseToErase() =>
        _database.Scalar("create trigger refusal before delete on transcript_entry begin select there_is_no_such_function(); end");

    /// <summary>Completes when what follows on the last commit is done too: the writer does one thing after the other.</summary>
    private async Task AfterCheckpointAsync()
    {
        await _pipeline.CommitAsync(static _ => { }, bytes: 0, CancellationToken.None);
        await _pipeline.CommitAsync(static _ => { }, bytes: 0, CancellationToken.None);
    }

    private async Task<string> FillAsync(string word, int rounds)
    {
        var record = await NewAsync(word);
        for (var round = 0; round < rounds; round++)
        {
            record = await AddAsync(record, word, round);
        }

        return record.SessionId;
    }

    private async Task<SessionRecord> NewAsync(string word)
    {
        var now = UnixMicroseconds.Round(TimeProvider.System.GetUtcNow());
        var request = GrainCluster.Request(Cerver.Computes.ComputeChoice.None, metadata: $$"""{"note": "{{word}}"}""", name: word);
        var record = SessionRules.NewRecord(request, Account, Ids.NewSession(TimeProvider.System), now);
        await _sessions.CommitAsync(SessionChange.From(record, now, rewrites: true, []), CancellationToken.None);
        return record with { Version = 1 };
    }

    /// <summary>Adds an entry, an operation, and a run with output. All of them hold the word.</summary>
    private async Task<SessionRecord> AddAsync(SessionRecord record, string word, int round)
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
        await _sessions.CommitAsync(change, CancellationToken.None);
        await _runs.AppendOutputAsync(record.SessionId, run.RunId, [new RunChunk(1, OutputKind.Stdout, Encoding.UTF8.GetBytes(text))], CancellationToken.None);
        var end = SessionChange.From(change.Next, now, rewrites: true, []) with
        {
            Ended = [new RunEnd(run.RunId, RunStatus.Exited, ExitCode: 0, Truncated: false, OutputHead: 1, now, Output: "")],
        };
        await _sessions.CommitAsync(end, CancellationToken.None);
        return end.Next;
    }

    /// <summary>How often a word stands in the database file, its log and whatever else is beside it.</summary>
    private int Occurrences(string word) => Directory.GetFiles(Path.GetDirectoryName(_database.Database.Path)!).Sum(path =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var text = new StreamReader(file, Encoding.Latin1);
        return text.ReadToEnd().AsSpan().Count(word);
    });
}
