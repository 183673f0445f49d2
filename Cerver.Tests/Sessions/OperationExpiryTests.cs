using Cerver.Grains.Operations;
using Cerver.Grains.Sessions;
using Cerver.Grains.Storage;
using Cerver.Sessions;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Sessions;

/// <summary>A key stands for its operation for 24 hours.</summary>
public abstract class OperationExpiryTests(TestedDatabase database) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private TestStores? _stores;

    private TestStores Stores => _stores!;

    public async Task InitializeAsync() => _stores = await TestStores.CreateAsync(database, _time);

    public async Task DisposeAsync() => await Stores.DisposeAsync();

    [Fact]
    public async Task A_key_is_known_for_24_hours_and_may_stand_for_something_else_then()
    {
        await RecordAsync("key", "1");

        _time.Advance(IOperationStore.Lifetime - TimeSpan.FromSeconds(1));
        var before = await Stores.Operations.FindAsync("account", "key", CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(1));
        var after = await Stores.Operations.FindAsync("account", "key", CancellationToken.None);
        await RecordAsync("key", "2");
        var again = await Stores.Operations.FindAsync("account", "key", CancellationToken.None);

        Assert.Equal(("1", null, "2"), (before?.Result, after?.Result, again?.Result));
    }

    [Fact]
    public async Task A_key_that_is_used_on_a_session_which_nobody_used_for_days_is_new_all_the_same()
    {
        var idleSince = _time.GetUtcNow();
        _time.Advance(3 * IOperationStore.Lifetime);

        await RecordAsync("key", "1", idleSince);

        Assert.NotNull(await Stores.Operations.FindAsync("account", "key", CancellationToken.None));
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
        await new OperationExpiry(Stores.Operations).RunAsync(CancellationToken.None);

        Assert.Equal(1L, await Stores.ScalarAsync("select count(*) from idempotency"));
        Assert.NotNull(await Stores.Operations.FindAsync("account", "new", CancellationToken.None));
    }

    /// <summary>Each with a new session, which is its effect.</summary>
    private Task RecordAsync(string key, string result, DateTimeOffset? activeAt = null)
    {
        var now = UnixMicroseconds.Round(activeAt ?? _time.GetUtcNow());
        var record = SessionRules.NewRecord(GrainCluster.Request(Cerver.Computes.ComputeChoice.None), "account", Ids.NewSession(_time), now);
        return Stores.Sessions.CommitAsync(
            SessionChange.From(record, now, rewrites: true, []) with { Recorded = new RecordedOperation(key, [1], result) }, CancellationToken.None);
    }
}

/// <inheritdoc/>
public sealed class SqliteOperationExpiryTests() : OperationExpiryTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresOperationExpiryTests() : OperationExpiryTests(TestedDatabase.Postgres);
