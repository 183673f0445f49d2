using System.Collections.Immutable;
using Cerver.Grains.Secrets.Audit;
using Cerver.Secrets;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Secrets;

/// <summary>Who asked for a secret is kept, in either database.</summary>
public sealed class SecretAuditTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 9, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task Accesses_are_listed_page_by_page_the_newest_first_whatever_comes_meanwhile(TestedDatabase database)
    {
        await using var stores = await TestStores.CreateAsync(database, _time);
        for (var i = 0; i < 5; i++)
        {
            await stores.Audit.RecordAsync("alice", [Access($"N{i}"), Access($"N{i}b")], CancellationToken.None);
        }

        await stores.Audit.RecordAsync("bob", [Access("BOBS")], CancellationToken.None);
        var names = new List<string>();
        for (long? before = null; ;)
        {
            var page = await stores.Audit.ListAsync("alice", new SecretAccessFilter(Limit: 3, before), CancellationToken.None);
            names.AddRange(page.Accesses.Select(static access => access.Name));
            await stores.Audit.RecordAsync("alice", [Access("LATER")], CancellationToken.None);
            if ((before = page.Next) is null)
            {
                break;
            }
        }

        Assert.Equal(["N4b", "N4", "N3b", "N3", "N2b", "N2", "N1b", "N1", "N0b", "N0"], names);
        Assert.Equal([Access("BOBS")], (await stores.Audit.ListAsync("bob", new SecretAccessFilter(Limit: 10), CancellationToken.None)).Accesses.AsEnumerable());
    }

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task They_are_narrowed_by_name_session_and_time(TestedDatabase database)
    {
        await using var stores = await TestStores.CreateAsync(database, _time);
        var all = ImmutableArray.Create(
            Access("A") with { SessionId = "s1", RunId = "run_1", Source = null, Outcome = SecretOutcome.NotFound },
            Access("B") with { SessionId = "s1", At = _time.GetUtcNow().AddMicroseconds(1) },
            Access("A") with { SessionId = "s2", At = _time.GetUtcNow().AddMicroseconds(2), Outcome = SecretOutcome.Injected },
            Access("A\0") with { Key = "kéy…", At = _time.GetUtcNow().AddMicroseconds(3), Outcome = SecretOutcome.Unavailable });
        await stores.Audit.RecordAsync("alice", all, CancellationToken.None);

        async Task<IEnumerable<int>> Found(SecretAccessFilter filter) =>
            (await stores.Audit.ListAsync("alice", filter, CancellationToken.None)).Accesses.Select(access => all.IndexOf(access));
        Assert.Equal([3, 2, 1, 0], await Found(new(10)));
        Assert.Equal([2, 0], await Found(new(10, Name: "A")));
        Assert.Equal([1, 0], await Found(new(10, SessionId: "s1")));
        Assert.Equal([2, 1], await Found(new(10, Since: all[1].At, Until: all[3].At)));
        Assert.Equal([0], await Found(new(10, Name: "A", SessionId: "s1")));
    }

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task What_is_older_than_the_retention_goes_and_nothing_else(TestedDatabase database)
    {
        await using var stores = await TestStores.CreateAsync(database, _time);
        await stores.Audit.RecordAsync("alice", [.. Enumerable.Range(0, ISecretAuditStore.RemovedAtOnce * 2).Select(_ => Access("OLD"))], CancellationToken.None);
        _time.Advance(TimeSpan.FromDays(1));
        await stores.Audit.RecordAsync("alice", [Access("NEW")], CancellationToken.None);
        _time.Advance(TimeSpan.FromDays(89));

        await stores.Audit.RemoveOldAsync(CancellationToken.None);

        Assert.Equal(["NEW"], (await stores.Audit.ListAsync("alice", new SecretAccessFilter(Limit: 200), CancellationToken.None)).Accesses.Select(static access => access.Name));
    }

    private SecretAccess Access(string name) => new(_time.GetUtcNow(), "ck_1234…", SessionId: null, RunId: null, name, "env", SecretOutcome.Fetched);
}
