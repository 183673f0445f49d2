using System.Collections.Immutable;
using Cerver.Grains.Secrets.Audit;
using Cerver.Grains.Storage;
using Cerver.Secrets;
using Cerver.Tests.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Secrets;

/// <summary>Who asked for a secret is kept, in either database.</summary>
public sealed class SecretAuditTests
{
    private const long DayMicroseconds = TimeSpan.TicksPerDay / TimeSpan.TicksPerMicrosecond;

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
        await foreach (var page in PagesAsync(stores, new SecretAccessFilter(Limit: 3)))
        {
            names.AddRange(page.Select(static access => access.Name));
            await stores.Audit.RecordAsync("alice", [Access("LATER")], CancellationToken.None);
        }

        Assert.Equal(["N4b", "N4", "N3b", "N3", "N2b", "N2", "N1b", "N1", "N0b", "N0"], names);
        Assert.Equal([Access("BOBS")], (await stores.Audit.ListAsync("bob", new SecretAccessFilter(Limit: 10), CancellationToken.None)).Accesses.AsEnumerable());
    }

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task They_are_in_the_order_of_their_times_whatever_the_order_in_which_they_were_recorded(TestedDatabase database)
    {
        await using var stores = await TestStores.CreateAsync(database, _time);
        foreach (var microseconds in (int[])[2, 0, 3, 1])
        {
            await stores.Audit.RecordAsync("alice", [Access($"N{microseconds}", microseconds), Access($"N{microseconds}b", microseconds)], CancellationToken.None);
        }

        foreach (var limit in (int[])[1, 3, 4, 8])
        {
            var names = (await PagesAsync(stores, new SecretAccessFilter(limit)).ToListAsync()).SelectMany(static page => page).Select(static access => access.Name);
            Assert.Equal(["N3b", "N3", "N2b", "N2", "N1b", "N1", "N0b", "N0"], names);
        }
    }

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task While_others_write_each_access_is_on_one_page_at_most_and_none_that_there_was_is_missed(TestedDatabase database)
    {
        await using var stores = await TestStores.CreateAsync(database, _time);
        await stores.Audit.RecordAsync("alice", [.. Enumerable.Range(0, 300).Select(i => Access("KNOWN", i / 10) with { RunId = $"known {i}" })], CancellationToken.None);

        // Clocks differ, so others record what is older than what was read, of the same time, and newer.
        using var written = new SemaphoreSlim(0);
        var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
            {
                await stores.Audit.RecordAsync("alice", [Access("KNOWN", i % 40) with { RunId = $"written {writer} {i}" }], CancellationToken.None);
                written.Release();
            }
        })).ToList();
        var seen = new List<string>();
        await foreach (var page in PagesAsync(stores, new SecretAccessFilter(Limit: 7, Name: "KNOWN")))
        {
            seen.AddRange(page.Select(static access => access.RunId!));
            Assert.True(await written.WaitAsync(TimeSpan.FromSeconds(30)));
        }

        await Task.WhenAll(writers);
        Assert.Equal(seen.Count, seen.Distinct(StringComparer.Ordinal).Count());
        Assert.Superset(Enumerable.Range(0, 300).Select(static i => $"known {i}").ToHashSet(StringComparer.Ordinal), seen.ToHashSet(StringComparer.Ordinal));
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
        Assert.Equal([2], await Found(new(10, Name: "A", Since: all[1].At)));
        Assert.Equal([0], await Found(new(10, SessionId: "s1", Until: all[1].At)));
        Assert.Equal([3], await Found(new(10, Name: "A\0")));
        Assert.Empty(await Found(new(10, Name: "A", SessionId: "s3")));
        foreach (var filter in (SecretAccessFilter[])[new(1), new(1, Name: "A"), new(1, SessionId: "s1"), new(1, Since: all[1].At, Until: all[3].At)])
        {
            var pages = (await PagesAsync(stores, filter).ToListAsync()).SelectMany(static page => page).Select(access => all.IndexOf(access));
            Assert.Equal(await Found(filter with { Limit = 10 }), pages);
        }
    }

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task A_list_begins_with_the_time_that_it_names_and_ends_before_the_other_however_fine_they_are(TestedDatabase database)
    {
        await using var stores = await TestStores.CreateAsync(database, _time);
        await stores.Audit.RecordAsync("alice", [Access("BEFORE", -1), Access("AT"), Access("AFTER", 1)], CancellationToken.None);
        var (at, later, place) = (_time.GetUtcNow(), _time.GetUtcNow().AddTicks(1), new SecretAccessCursor(_time.GetUtcNow(), long.MaxValue));

        async Task<IEnumerable<string>> Found(SecretAccessFilter filter) =>
            (await stores.Audit.ListAsync("alice", filter, CancellationToken.None)).Accesses.Select(static access => access.Name);
        Assert.Equal(["AFTER", "AT"], await Found(new(10, Since: at)));
        Assert.Equal(["AFTER"], await Found(new(10, Since: later)));
        Assert.Equal(["BEFORE"], await Found(new(10, Until: at)));
        Assert.Equal(["AT", "BEFORE"], await Found(new(10, Until: later)));
        Assert.Equal(["AT"], await Found(new(10, place, Since: at)));
        Assert.Equal(["BEFORE"], await Found(new(10, place, Until: at)));
        Assert.Equal(["AT", "BEFORE"], await Found(new(10, place, Until: at.AddDays(1))));
        Assert.Empty(await Found(new(10, Since: at, Until: at)));
    }

    /// <summary>What is read does not grow with what else there is: every list is one stretch of an index, in the order of which it comes.</summary>
    [Theory]
    [InlineData("list.sql", "SEARCH secret_access USING INDEX secret_access_by_account (account_id=? AND at>? AND at<?)")]
    [InlineData("list_by_name.sql", "SEARCH secret_access USING INDEX secret_access_by_name (account_id=? AND name=? AND at>? AND at<?)")]
    [InlineData("list_by_session.sql", "SEARCH secret_access USING INDEX secret_access_by_session (account_id=? AND session_id=? AND at>? AND at<?)")]
    [InlineData(
        "remove_old.sql",
        "SEARCH secret_access USING INTEGER PRIMARY KEY (rowid=?)",
        "LIST SUBQUERY 1",
        "SEARCH secret_access USING COVERING INDEX secret_access_by_age (at<?)")]
    public async Task Statements_of_SQLite_read_one_index_each(string file, params string[] plan)
    {
        await using var stores = new SqliteStores(_time);

        using var connection = stores.Database.Database.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is an embedded statement.
        command.CommandText = $"explain query plan {SqlText.Load($"Secrets/Audit/Sqlite/{file}")}";
#pragma warning restore CA2100
        command.Parameters.AddRange(Enumerable.Range(1, 7).Select(static i => new SqliteParameter($"${i}", i)));
        var steps = new List<string>();
        using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            steps.Add(rows.GetString(3));
        }

        Assert.Equal(string.Join(Environment.NewLine, plan), string.Join(Environment.NewLine, steps));
    }

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task What_is_older_than_the_retention_goes_and_nothing_else(TestedDatabase database)
    {
        await using var stores = await TestStores.CreateAsync(database, _time);
        await stores.Audit.RecordAsync("alice", [.. Enumerable.Range(0, ISecretAuditStore.RemovedAtOnce * 2).Select(_ => Access("OLD"))], CancellationToken.None);
        _time.Advance(TimeSpan.FromDays(1));
        await stores.Audit.RecordAsync("alice", [Access("NEW", microseconds: 1 - DayMicroseconds), Access("NEWER")], CancellationToken.None);
        _time.Advance(TimeSpan.FromDays(89));

        await stores.Audit.RemoveOldAsync(CancellationToken.None);

        Assert.Equal(["NEWER", "NEW"], (await stores.Audit.ListAsync("alice", new SecretAccessFilter(Limit: 200), CancellationToken.None)).Accesses.Select(static access => access.Name));
    }

    private SecretAccess Access(string name, long microseconds = 0) =>
        new(_time.GetUtcNow().AddMicroseconds(microseconds), "ck_1234…", SessionId: null, RunId: null, name, "env", SecretOutcome.Fetched);

    /// <summary>Alice's list to its end.</summary>
    private static async IAsyncEnumerable<ImmutableArray<SecretAccess>> PagesAsync(TestStores stores, SecretAccessFilter filter)
    {
        SecretAccessCursor? next = null;
        do
        {
            var page = await stores.Audit.ListAsync("alice", filter with { After = next }, CancellationToken.None);
            yield return page.Accesses;
            next = page.Next;
        }
        while (next is not null);
    }
}
