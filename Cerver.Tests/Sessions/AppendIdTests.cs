using Cerver.Grains.Sessions;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Sessions;

/// <summary>An append is found by its id among the newest entries of a transcript.</summary>
public sealed class AppendIdTests : IAsyncDisposable
{
    private static readonly Guid AppendId = new("01980000-0000-7000-8000-0000000000aa");

    private readonly TemporaryDatabase _database = new();
    private readonly SqliteReaders _readers;
    private readonly SqliteCommitPipeline _pipeline;
    private readonly SqliteSessionStore _sessions;

    public AppendIdTests()
    {
        _readers = new SqliteReaders(_database.Database, NullLogger<SqliteReaders>.Instance);
        _pipeline = new SqliteCommitPipeline(_database.Database, new StorageFailure(), NullLogger<SqliteCommitPipeline>.Instance);
        _sessions = new SqliteSessionStore(
            _readers, _pipeline, new SqlitePurge(_readers, _pipeline, TimeProvider.System, NullLogger<SqlitePurge>.Instance), TimeProvider.System);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(20_000, true)]
    [InlineData(20_001, false)]
    public async Task It_is_looked_for_among_the_newest_20_000_entries(int entriesFromItOn, bool isFound)
    {
        _database.Scalar($"""
            insert into session (session_id, account_id, session_name, status, provider, run_count, run_time_ms, created_at, updated_at, transcript_total, version)
            values ('s', 'a', '', 0, 'none', 0, 0, 1, 7, {7 + entriesFromItOn}, 3);
            insert into transcript_entry (session_id, position, at, role, kind, content, append_id) values ('s', 7, 1, 1, 'text', 'x', '{AppendId}');
            """);

        var found = await _sessions.FindAppendAsync("a", "s", AppendId, CancellationToken.None);

        Assert.Equal(isFound ? 8 : null, found);
        Assert.Null(await _sessions.FindAppendAsync("b", "s", AppendId, CancellationToken.None));
    }

    [Fact]
    public async Task It_is_kept_with_the_last_entry_of_the_append_and_with_no_other()
    {
        var now = TimeProvider.System.GetUtcNow();
        var record = SessionRules.NewRecord(GrainCluster.Request(Cerver.Computes.ComputeChoice.None), "account", Ids.NewSession(TimeProvider.System), now);
        var created = SessionChange.From(record, now, rewrites: true, []);
        await _sessions.CommitAsync(created, CancellationToken.None);

        await _sessions.CommitAsync(
            SessionChange.From(created.Next, now, rewrites: false, SessionEntries.Stamp([GrainCluster.Text("a"), GrainCluster.Text("b")], now)) with { AppendId = AppendId },
            CancellationToken.None);

        Assert.Equal(1L, _database.Scalar("select group_concat(position) = '1' from transcript_entry where append_id is not null"));
        Assert.Equal(2, await _sessions.FindAppendAsync("account", record.SessionId, AppendId, CancellationToken.None));
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        _readers.Dispose();
        _database.Dispose();
    }
}
