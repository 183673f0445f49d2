using Cerver.Grains.Sessions;
using Cerver.Tests.Storage;

namespace Cerver.Tests.Sessions;

/// <summary>What becomes of the rows of a session that is erased.</summary>
public abstract class PurgeTests(TestedDatabase database) : IAsyncLifetime
{
    private TestStores? _stores;

    private TestStores Stores => _stores!;

    public async Task InitializeAsync() => _stores = await TestStores.CreateAsync(database);

    public async Task DisposeAsync() => await Stores.DisposeAsync();

    [Fact]
    public async Task An_erasure_leaves_nothing_of_the_session_and_everything_of_others()
    {
        var kept = await Stores.FillAsync("kept", rounds: 3);
        var rows = await Stores.ScalarAsync(TestStores.CountRows);
        var session = await Stores.FillAsync("secret", rounds: 300);

        await Stores.Sessions.PurgeAsync(TestStores.Account, session, operation: null, CancellationToken.None);

        Assert.Equal(rows, await Stores.ScalarAsync(TestStores.CountRows));
        Assert.NotNull(await Stores.Sessions.FindAsync(TestStores.Account, kept, CancellationToken.None));
        Assert.Empty(await Stores.FindViolationsAsync());
    }

    [Fact]
    public async Task An_erasure_that_fails_when_the_session_is_out_of_sight_is_a_success_and_upkeep_finishes_it()
    {
        var session = await Stores.FillAsync("secret", rounds: 3);
        await Stores.RefuseToEraseAsync();

        await Stores.Sessions.PurgeAsync(TestStores.Account, session, operation: null, CancellationToken.None);
        var found = await Stores.Sessions.FindAsync(TestStores.Account, session, CancellationToken.None);
        var left = await Stores.ScalarAsync(TestStores.CountRows);
        await Stores.AllowToEraseAsync();
        await new PurgeUpkeep(Stores.Sessions).RunAsync(CancellationToken.None);

        Assert.Null(found);
        Assert.NotEqual(0L, left);
        Assert.Equal(0L, await Stores.ScalarAsync(TestStores.CountRows));
    }

    [Fact]
    public async Task Erasures_of_the_same_session_at_the_same_time_do_no_more_than_one()
    {
        var kept = await Stores.FillAsync("kept", rounds: 3);
        var rows = await Stores.ScalarAsync(TestStores.CountRows);
        var session = await Stores.FillAsync("secret", rounds: 400);
        await Stores.RefuseToEraseAsync();
        await Stores.Sessions.PurgeAsync(TestStores.Account, session, operation: null, CancellationToken.None);
        await Stores.AllowToEraseAsync();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Stores.Sessions.ResumePurgesAsync(CancellationToken.None))));

        Assert.Equal(rows, await Stores.ScalarAsync(TestStores.CountRows));
        Assert.NotNull(await Stores.Sessions.FindAsync(TestStores.Account, kept, CancellationToken.None));
        Assert.Empty(await Stores.FindViolationsAsync());
    }
}

/// <inheritdoc/>
public sealed class SqliteSharedPurgeTests() : PurgeTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresPurgeTests() : PurgeTests(TestedDatabase.Postgres);
