using Cerver.Grains.Operations;
using Cerver.Grains.Operations.Sqlite;
using Cerver.Grains.Sessions;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Sessions;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Sessions;

/// <summary>A key stands for its operation for 24 hours.</summary>
public sealed class OperationExpiryTests : IAsyncDisposable
{
    private readonly TemporaryDatabase _database = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly SqliteReaders _readers;
    private readonly SqliteCommitPipeline _pipeline;
    private readonly SqliteOperationStore _operations;
    private readonly SqliteSessionStore _sessions;

    public OperationExpiryTests()
    {
        _readers = new SqliteReaders(_database.Database, NullLogger<SqliteReaders>.Instance);
        _pipeline = new SqliteCommitPipeline(_database.Database, new StorageFailure(), NullLogger<SqliteCommitPipeline>.Instance);
        _operations = new SqliteOperationStore(_readers, _pipeline, _time);
        _sessions = new SqliteSessionStore(_readers, _pipeline, new SqlitePurge(_readers, _pipeline, _time, NullLogger<SqlitePurge>.Instance), _time);
    }

    [Fact]
    public async Task A_key_is_known_for_24_hours_and_may_stand_for_something_else_then()
    {
        await RecordAsync("key", "1");

        _time.Advance(IOperationStore.Lifetime - TimeSpan.FromSeconds(1));
        var before = await _operations.FindAsync("account", "key", CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(1));
        var after = await _operations.FindAsync("account", "key", CancellationToken.None);
        await RecordAsync("key", "2");
        var again = await _operations.FindAsync("account", "key", CancellationToken.None);

        Assert.Equal(("1", null, "2"), (before?.Result, after?.Result, again?.Result));
    }

    [Fact]
    public async Task A_key_that_is_used_on_a_session_which_nobody_used_for_days_is_new_all_the_same()
    {
        var idleSince = _time.GetUtcNow();
        _time.Advance(3 * IOperationStore.Lifetime);

        await RecordAsync("key", "1", idleSince);

        Assert.NotNull(await _operations.FindAsync("account", "key", CancellationToken.None));
    }

    [Fact]
    public async Task Upkeep_removes_what_is_too_old_and_nothing_else()
    {
        for (var i = 0; i < 600; i++)
        {
            await RecordAsync($"old {i}", "1");
        }

        _time.Advance(IOperationStore.Lifetime);
        await RecordAsync("new", "1");
        await new OperationExpiry(_operations).RunAsync(CancellationToken.None);

        Assert.Equal(1L, _database.Scalar("select count(*) from idempotency"));
        Assert.NotNull(await _operations.FindAsync("account", "new", CancellationToken.None));
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        _readers.Dispose();
        _database.Dispose();
    }

    /// <summary>Each with a new session, which is its effect.</summary>
    private Task RecordAsync(string key, string result, DateTimeOffset? activeAt = null)
    {
        var now = UnixMicroseconds.Round(activeAt ?? _time.GetUtcNow());
        var record = SessionRules.NewRecord(GrainCluster.Request(Cerver.Computes.ComputeChoice.None), "account", Ids.NewSession(_time), now);
        return _sessions.CommitAsync(
            SessionChange.From(record, now, rewrites: true, []) with { Recorded = new RecordedOperation(key, [1], result) }, CancellationToken.None);
    }
}
