using Cerver.Computes;
using Cerver.Grains.Sessions;
using Cerver.Sessions;
using Cerver.Tests.Storage;

namespace Cerver.Tests.Sessions;

/// <summary>Lists of sessions, straight from the stores.</summary>
public abstract class SessionListTests(TestedDatabase database) : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private TestStores? _stores;

    private TestStores Stores => _stores!;

    public async Task InitializeAsync() => _stores = await TestStores.CreateAsync(database);

    public async Task DisposeAsync() => await Stores.DisposeAsync();

    [Fact]
    public async Task Pages_are_parts_of_one_order_by_activity_whatever_the_filter()
    {
        // Several in each second, some at the same moment, and neighbours in time of different statuses.
        var sessions = new List<SessionRecord>();
        foreach (var i in Enumerable.Range(0, 48).OrderBy(i => i * 29 % 48))
        {
            sessions.Add(await AddAsync(
                Start.AddMilliseconds(i / 2 * 330),
                status: (SessionStatus)(i % 3),
                harness: i % 4 < 2 ? "one" : "other",
                source: i % 5 < 2 ? "here" : "there",
                name: i % 7 < 3 ? "Some Work" : "rest",
                provider: i % 3 == 0 ? "local" : "none"));
        }

        foreach (var status in (SessionStatus?[])[null, SessionStatus.Idle, SessionStatus.Running, SessionStatus.Ended])
        {
            foreach (var harness in (string?[])[null, "one"])
            {
                foreach (var source in (string?[])[null, "here"])
                {
                    foreach (var name in (string?[])[null, "e wO"])
                    {
                        var filter = new SessionFilter(Limit: 2, After: null, status, source, harness, name);

                        Assert.Equal(Expected(sessions, filter), await ReadAllAsync(filter));
                    }
                }
            }
        }
    }

    [Fact]
    public async Task A_list_ends_at_a_time_and_goes_back_to_another_one_to_the_microsecond()
    {
        var sessions = new List<SessionRecord>();
        foreach (var i in Enumerable.Range(0, 40).OrderBy(i => i * 29 % 40))
        {
            sessions.Add(await AddAsync(Start.AddMicroseconds(i / 2 * 300_000), (SessionStatus)(i % 3), "one", "here", "name", i % 4 < 2 ? "local" : "none"));
        }

        var (early, late) = (Start.AddMicroseconds(900_000), Start.AddMicroseconds(4_500_000));
        foreach (var status in (SessionStatus?[])[null, SessionStatus.Idle])
        {
            foreach (var provider in (string?[])[null, "local"])
            {
                foreach (var (since, until) in ((DateTimeOffset?, DateTimeOffset?)[])
                    [(early, null), (early.AddTicks(1), null), (null, late), (null, late.AddTicks(1)), (early, late), (late, early), (DateTimeOffset.MinValue, DateTimeOffset.MaxValue)])
                {
                    var filter = new SessionFilter(Limit: 3, Status: status, Provider: provider, Since: since, Until: until);

                    Assert.Equal(Expected(sessions, filter), await ReadAllAsync(filter));
                }
            }
        }
    }

    [Fact]
    public async Task Changes_come_in_their_order_also_when_there_are_very_many()
    {
        var sessions = new List<string>();
        for (var i = 0; i < 150; i++)
        {
            sessions.Add((await AddAsync(Start, SessionStatus.Idle, harness: null, source: "", name: "")).SessionId);
        }

        var found = new List<string>();
        var after = 0L;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (found.Count < sessions.Count)
        {
            var page = await Stores.Sessions.ListChangedAsync(TestStores.Account, after, limit: 7, limit.Token);
            found.AddRange(page.Sessions.Select(changed => changed.Session.SessionId));
            after = page.Sessions.IsEmpty ? after : page.Sessions[^1].Change;
        }

        Assert.Equal(sessions, found);
        Assert.Empty((await Stores.Sessions.ListChangedAsync(TestStores.Account, after, limit: 7, CancellationToken.None)).Sessions);
    }

    private static IEnumerable<string> Expected(IEnumerable<SessionRecord> sessions, SessionFilter filter) => sessions
        .Where(session => (filter.Status is null || session.Status == filter.Status)
            && (filter.Harness is null || session.Harness == filter.Harness)
            && (filter.Source is null || session.Metadata!.Contains($"\"{filter.Source}\"", StringComparison.Ordinal))
            && (filter.Provider is null || session.Provider == filter.Provider)
            && !(session.UpdatedAt < filter.Since) && !(session.UpdatedAt >= filter.Until)
            && (filter.Name is null || session.SessionName.Contains(filter.Name, StringComparison.OrdinalIgnoreCase)))
        .OrderByDescending(session => session.UpdatedAt)
        .ThenByDescending(session => session.SessionId, StringComparer.Ordinal)
        .Select(session => session.SessionId);

    private async Task<List<string>> ReadAllAsync(SessionFilter filter)
    {
        var all = new List<string>();
        while (true)
        {
            var page = await Stores.Sessions.ListAsync(TestStores.Account, filter, CancellationToken.None);
            Assert.True(page.Sessions.Length <= filter.Limit);
            all.AddRange(page.Sessions.Select(session => session.SessionId));
            if (page.Next is null)
            {
                return all;
            }

            filter = filter with { After = page.Next };
        }
    }

    private async Task<SessionRecord> AddAsync(DateTimeOffset at, SessionStatus status, string? harness, string source, string name, string provider = "none")
    {
        var request = GrainCluster.Request(ComputeChoice.None, metadata: $$"""{"source": "{{source}}"}""", name: name) with { Harness = harness };
        var record = SessionRules.NewRecord(request, TestStores.Account, Ids.NewSession(TimeProvider.System), at) with { Status = status, Provider = provider };
        var change = SessionChange.From(record, at, rewrites: true, []);
        await Stores.Sessions.CommitAsync(change, CancellationToken.None);
        return change.Next;
    }
}

/// <inheritdoc/>
public sealed class SqliteSessionListTests() : SessionListTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresSessionListTests() : SessionListTests(TestedDatabase.Postgres);
