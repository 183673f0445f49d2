using Cerver.Bench.Gateways;
using Cerver.Grains.Storage.Postgres;
using Cerver.Sessions;

namespace Cerver.Tests.Storage;

/// <summary>The commands for backup and restore that docs/operations.md gives.</summary>
public sealed class PostgresBackupTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cerver-backup-").FullName;
    private TestPostgres? _old;
    private TestPostgres? _new;

    public async Task InitializeAsync()
    {
        _old = await TestPostgres.StartOwnAsync();
        _new = await TestPostgres.StartOwnAsync();
    }

    public async Task DisposeAsync()
    {
        await _old!.DisposeAsync();
        await _new!.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_backup_that_is_restored_on_another_server_has_the_same_sessions_and_whoever_follows_the_account_goes_on()
    {
        var (backup, restore) = Commands();
        await _old!.RunAsync(_directory, "createdb cerver");
        List<SessionPage> before;
        long last, followed;
        await using (var stores = new PostgresStores(PostgresTestDatabase.Open(_old, "cerver"), TimeProvider.System))
        {
            await PostgresSchema.MigrateAsync(stores.Database.Source, CancellationToken.None);
            await stores.FillAsync("one", rounds: 40);
            await stores.FillAsync("two\0three", rounds: 3);
            before = await ReadAsync(stores);
            await _old.RunAsync(_directory, backup);
            last = (long)(await stores.ScalarAsync("select max(change) from session"))!;

            // The old server was used on, and somebody followed that.
            await stores.ScalarAsync(BeginTransactions(5000));
            await stores.FillAsync("lost", rounds: 10);
            followed = (await stores.Sessions.ListChangedAsync(TestStores.Account, after: 0, limit: 10, CancellationToken.None)).Head;
        }

        await _new!.RunAsync(_directory, restore);
        await using var restored = new PostgresStores(PostgresTestDatabase.Open(_new, "cerver"), TimeProvider.System);

        // The new server is beyond what is in the backup, and not beyond what was given out after it.
        await restored.ScalarAsync(BeginTransactions(1000));
        Assert.InRange((long)(await restored.ScalarAsync("select number from next_change"))!, last + 1, followed);
        await PostgresSchema.RequireCurrentAsync(restored.Database.Source, CancellationToken.None);
        await PostgresSchema.ContinueChangesAsync(restored.Database.Source, CancellationToken.None);
        var after = await ReadAsync(restored);
        var changed = await restored.NewAsync("new");
        var page = await restored.Sessions.ListChangedAsync(TestStores.Account, followed, limit: 10, CancellationToken.None);

        Assert.Equal(before.Select(session => session.Session), after.Select(session => session.Session));
        Assert.Equal(before.SelectMany(session => session.Entries), after.SelectMany(session => session.Entries));
        Assert.Equal(43, after.Sum(session => session.Entries.Length));
        Assert.Empty(await restored.FindViolationsAsync());
        Assert.Equal(changed.SessionId, Assert.Single(page.Sessions).Session.SessionId);
    }

    private static string BeginTransactions(int count) =>
        $"do $$ begin for i in 1..{count} loop perform pg_current_xact_id(); commit; end loop; end $$";

    private static async Task<List<SessionPage>> ReadAsync(TestStores stores)
    {
        var pages = new List<SessionPage>();
        foreach (var session in (await stores.Sessions.ListAsync(TestStores.Account, new SessionFilter(100), CancellationToken.None)).Sessions)
        {
            pages.Add((await stores.Sessions.ReadAsync(TestStores.Account, session.SessionId, new(), CancellationToken.None))!);
        }

        return pages;
    }

    private static (string Backup, string Restore) Commands()
    {
        var document = File.ReadAllText(Path.Combine(Repository.Find().Root, "docs", "operations.md"));
        var section = document[document.IndexOf("## Backup and restore", StringComparison.Ordinal)..];
        var parts = section.Split("```");
        return (parts[1]["sh".Length..], parts[3]["sh".Length..]);
    }
}
