using Cerver.Errors;
using Cerver.Grains.Sessions;
using Cerver.Sessions;

namespace Cerver.Tests.Storage;

/// <summary>A server that stops and comes back.</summary>
#pragma warning disable CA1001 // It is disposed of by IAsyncLifetime.
public sealed class PostgresRestartTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private TestPostgres? _server;
    private TestStores? _stores;

    private TestPostgres Server => _server!;

    private TestStores Stores => _stores!;

    public async Task InitializeAsync()
    {
        _server = await TestPostgres.StartOwnAsync();
        _stores = new PostgresStores(await PostgresTestDatabase.CreateAsync(_server), TimeProvider.System);
    }

    public async Task DisposeAsync()
    {
        await Stores.DisposeAsync();
        await Server.DisposeAsync();
    }

    [Fact]
    public async Task While_it_is_away_calls_are_refused_and_when_it_is_back_the_first_ones_succeed()
    {
        var record = await Stores.NewAsync("a");
        await Server.StopAsync();

        var write = await RefusalAsync(() => Stores.Sessions.CommitAsync(Append(record, "away"), CancellationToken.None));
        var read = await RefusalAsync(() => Stores.Sessions.FindAsync(TestStores.Account, record.SessionId, CancellationToken.None));
        var ping = await RefusalAsync(() => Stores.Sessions.PingAsync(CancellationToken.None));
        await Server.StartAsync();
        await Stores.Sessions.PingAsync(CancellationToken.None);
        await Stores.Sessions.CommitAsync(Append(record, "back"), CancellationToken.None);

        Assert.Equal([CerverError.StorageUnavailable, CerverError.StorageUnavailable, CerverError.StorageUnavailable], [write, read, ping]);
        Assert.Equal(["back"], await ContentsAsync(record));
    }

    [Fact]
    public async Task After_an_orderly_restart_nobody_notices_that_the_connections_in_the_pool_are_of_no_use()
    {
        var record = await Stores.NewAsync("a");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Stores.Sessions.PingAsync(CancellationToken.None)));
        await Server.StopAsync();
        await Server.StartAsync();

        await Stores.Sessions.CommitAsync(Append(record, "after"), CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Stores.Sessions.PingAsync(CancellationToken.None)));

        Assert.Equal(["after"], await ContentsAsync(record));
    }

    [Fact]
    public async Task A_crash_under_load_loses_nothing_that_was_acknowledged_and_says_of_the_rest_what_is_known()
    {
        var (acknowledged, untouched) = (new List<string>(), new List<string>());
        var refusals = new HashSet<CerverError>();
        using var stop = new CancellationTokenSource();
        var committed = new TaskCompletionSource();
        var writers = Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            SessionRecord? record = null;
            for (var round = 0; !stop.IsCancellationRequested; round++)
            {
                try
                {
                    record ??= await Stores.NewAsync($"{i}");
                    var change = Append(record, $"{i} {round}");
                    await Stores.Sessions.CommitAsync(change, CancellationToken.None);
                    record = change.Next;
                    lock (acknowledged)
                    {
                        acknowledged.Add($"{i} {round}");
                    }

                    committed.TrySetResult();
                }
                catch (CerverException refusal)
                {
                    lock (acknowledged)
                    {
                        refusals.Add(refusal.Code);
                        if (refusal.Code == CerverError.StorageUnavailable)
                        {
                            untouched.Add($"{i} {round}");
                        }
                    }

                    // As the activation of a session does that does not know any more.
                    record = record is null ? null : await FindAsync(record.SessionId, stop.Token) ?? record;
                }
            }
        })).ToList();
        await committed.Task;

        for (var crash = 0; crash < 3; crash++)
        {
            committed = new TaskCompletionSource();
            await Server.KillAsync();
            await Server.StartAsync();
            await committed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Empty(refusals.Except([CerverError.StorageUnavailable, CerverError.StorageInDoubt]));
        var stored = ((string)(await Stores.ScalarAsync("select string_agg(content, ',' order by session_id, position) from transcript_entry"))!).Split(',');
        Assert.Equal(stored.Length, stored.Distinct().Count());
        Assert.Empty(acknowledged.Except(stored));
        Assert.Empty(stored.Intersect(untouched));
        Assert.Empty(await Stores.FindViolationsAsync());
    }

    private async Task<SessionRecord?> FindAsync(string sessionId, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                return await Stores.Sessions.FindAsync(TestStores.Account, sessionId, CancellationToken.None);
            }
            catch (CerverException refusal) when (refusal.Code == CerverError.StorageUnavailable)
            {
                await Task.Yield();
            }
        }

        return null;
    }

    private async Task<IEnumerable<string?>> ContentsAsync(SessionRecord record) =>
        (await Stores.Sessions.ReadAsync(TestStores.Account, record.SessionId, new(), CancellationToken.None))!.Entries.Select(entry => entry.Content);

    private static async Task<CerverError> RefusalAsync(Func<Task> call) => (await Assert.ThrowsAsync<CerverException>(call)).Code;

    private static SessionChange Append(SessionRecord record, string text) =>
        SessionChange.From(record, record.UpdatedAt, rewrites: false, [GrainCluster.Text(text) with { At = record.UpdatedAt }]);
}
