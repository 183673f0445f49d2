using Cerver.Grains.Sessions;
using Cerver.Tests.Storage;

namespace Cerver.Tests.Sessions;

/// <summary>An append is found by its id among the newest entries of a transcript.</summary>
public abstract class AppendIdTests(TestedDatabase database) : IAsyncLifetime
{
    private static readonly Guid AppendId = new("01980000-0000-7000-8000-0000000000aa");

    private TestStores? _stores;

    private TestStores Stores => _stores!;

    public async Task InitializeAsync() => _stores = await TestStores.CreateAsync(database);

    public async Task DisposeAsync() => await Stores.DisposeAsync();

    [Theory]
    [InlineData(1, true)]
    [InlineData(20_000, true)]
    [InlineData(20_001, false)]
    public async Task It_is_looked_for_among_the_newest_20_000_entries(int entriesFromItOn, bool isFound)
    {
        var now = TimeProvider.System.GetUtcNow();
        var record = await Stores.NewAsync("x");
        await Stores.Sessions.CommitAsync(
            SessionChange.From(record, now, rewrites: false, SessionEntries.Stamp([GrainCluster.Text("a")], now)) with { AppendId = AppendId }, CancellationToken.None);
        await Stores.ScalarAsync($"update session set transcript_total = {entriesFromItOn}");

        var found = await Stores.Sessions.FindAppendAsync(TestStores.Account, record.SessionId, AppendId, CancellationToken.None);

        Assert.Equal(isFound ? 1 : null, found);
        Assert.Null(await Stores.Sessions.FindAppendAsync("another", record.SessionId, AppendId, CancellationToken.None));
    }

    [Fact]
    public async Task It_is_kept_with_the_last_entry_of_the_append_and_with_no_other()
    {
        var now = TimeProvider.System.GetUtcNow();
        var record = SessionRules.NewRecord(GrainCluster.Request(Cerver.Computes.ComputeChoice.None), "account", Ids.NewSession(TimeProvider.System), now);
        var created = SessionChange.From(record, now, rewrites: true, []);
        await Stores.Sessions.CommitAsync(created, CancellationToken.None);

        await Stores.Sessions.CommitAsync(
            SessionChange.From(created.Next, now, rewrites: false, SessionEntries.Stamp([GrainCluster.Text("a"), GrainCluster.Text("b")], now)) with { AppendId = AppendId },
            CancellationToken.None);

        Assert.Equal(1L, await Stores.ScalarAsync("select max(position) from transcript_entry where append_id is not null and position = (select count(*) from transcript_entry where append_id is not null)"));
        Assert.Equal(2, await Stores.Sessions.FindAppendAsync("account", record.SessionId, AppendId, CancellationToken.None));
    }
}

/// <inheritdoc/>
public sealed class SqliteAppendIdTests() : AppendIdTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresAppendIdTests() : AppendIdTests(TestedDatabase.Postgres);
