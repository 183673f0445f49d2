using System.Globalization;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Search;
using Cerver.Grains.Sessions;
using Cerver.Grains.Storage;
using Cerver.Search;
using Cerver.Sessions;
using Cerver.Tests.Storage;

namespace Cerver.Tests.Search;

/// <summary>What is found, in whichever database.</summary>
public abstract class SearchTests(TestedDatabase database) : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 2, 3, 12, 0, 0, TimeSpan.Zero);
    private TestStores _stores = null!;
    private Searcher _searcher = null!;

    public async Task InitializeAsync()
    {
        _stores = await TestStores.CreateAsync(database);
        _searcher = new Searcher(_stores.Search, TestStores.Searching, TimeProvider.System);
    }

    public async Task DisposeAsync() => await _stores.DisposeAsync();

    [Theory]
    [InlineData("harbour", 0)]
    [InlineData("HARBOUR tide", 0)]
    [InlineData("\"tide tables\"", 0)]
    [InlineData("\"tables tide\"", null)]
    [InlineData("harb*", 0)]
    [InlineData("tide -harbour", 1)]
    [InlineData("tide -\"harbour office\"", 1)]
    [InlineData("lighthouse OR buoy", 2)]
    [InlineData("arger uber", 3)]
    [InlineData("Łodz", 3)]
    [InlineData("parse", 4)]
    [InlineData("json", 4)]
    [InlineData("parsejson", 4)]
    [InlineData("parse_json", 4)]
    [InlineData("parseJSON", 4)]
    [InlineData("foo_bar", 4)]
    [InlineData("bar", 4)]
    [InlineData("fetchUser", 4)]
    [InlineData("path/to/file.ts", 4)]
    [InlineData("file.ts", 4)]
    [InlineData("to/fi*", null)]
    [InlineData("to/file*", 4)]
    [InlineData("数据", 5)]
    [InlineData("据库", 5)]
    [InlineData("库", 5)]
    [InlineData("数据库迁移", 5)]
    [InlineData("据数", null)]
    [InlineData("サーバー", 5)]
    [InlineData("서버", 5)]
    [InlineData("ระบบ", 5)]
    [InlineData("aurora_tool", 6)]
    [InlineData("borealis", 6)]
    [InlineData("nborealis", null)]
    [InlineData("tideline", null)]
    public async Task Entries_are_found_by_their_words(string query, int? expected)
    {
        var session = await NewAsync(
            "Ask the harbour office for the tide tables.",
            "The tide is out until four.",
            "A buoy off the coast.",
            "Ärger über Łódź",
            "parseJSON(foo_bar) failed in src/path/to/file.ts; see FetchUser",
            "数据库迁移完成。サーバーを再起動した。서버가 시작됐다. ระบบพร้อม");
        await AppendAsync(session, Said("") with
        {
            Role = EntryRole.Assistant,
            Kind = EntryKinds.ToolUse,
            ToolName = "aurora_tool",
            ToolInput = """{"code":"print(1)\nborealis()"}""",
        });

        if (expected is null && query.StartsWith("to/fi", StringComparison.Ordinal))
        {
            await Assert.ThrowsAsync<CerverException>(() => SearchAsync(query));
            return;
        }

        var page = await SearchAsync(query);

        Assert.Equal(expected is { } index ? [index] : [], page.Hits.Where(_ => page.MatchedAll).Select(hit => hit.Index));
    }

    [Fact]
    public async Task A_hit_says_where_it_is_and_shows_the_match()
    {
        var session = await NewAsync("first", "We decided to keep the retry\nbudget at three per minute.");

        var hit = Assert.Single((await SearchAsync("retry budget")).Hits);

        Assert.Equal((session.SessionId, "a session", 1, Noon, EntryRole.User, EntryKinds.Text), (hit.SessionId, hit.SessionName, hit.Index, hit.At, hit.Role, hit.Kind));
        Assert.Equal("We decided to keep the **retry** **budget** at three per minute.", hit.Snippet);
        Assert.InRange(hit.Score, 0.1, 1);
    }

    [Fact]
    public async Task A_snippet_shows_the_match_deep_in_a_long_entry()
    {
        await NewAsync(string.Concat(Enumerable.Repeat("filler words go on and on ", 2_000)) + "until the needle shows up " + string.Concat(Enumerable.Repeat("and on ", 500)));

        var hit = Assert.Single((await SearchAsync("needle")).Hits);

        Assert.Contains("the **needle** shows", hit.Snippet, StringComparison.Ordinal);
        Assert.StartsWith("…", hit.Snippet, StringComparison.Ordinal);
        Assert.EndsWith("…", hit.Snippet, StringComparison.Ordinal);
        Assert.InRange(hit.Snippet.Length, 100, 400);
    }

    [Fact]
    public async Task Nothing_of_another_account_is_found()
    {
        await NewAsync("our common word");

        var page = await _searcher.SearchAsync("somebody else", new SearchRequest("common", Limit: 10), CancellationToken.None);

        Assert.Empty(page.Hits);
    }

    [Fact]
    public async Task The_best_comes_first_and_of_equals_the_newest()
    {
        await NewAsync(
            Said("a long talk about many things, among them caching, and after that about tea, biscuits, the weather, and whether to go home now or a little later"),
            Said("caching plan"),
            Said("caching plan") with { At = Noon.AddHours(1) });

        var page = await SearchAsync("caching");

        Assert.Equal([2, 1, 0], page.Hits.Select(hit => hit.Index));
    }

    [Fact]
    public async Task Words_that_stand_together_are_better_than_words_that_are_apart()
    {
        await NewAsync("the key was lost and in the end nobody could say where on earth the rotation came from", "do the key rotation at once and tell nobody about it until it is over, please");

        Assert.Equal([1, 0], (await SearchAsync("key rotation")).Hits.Select(hit => hit.Index));
    }

    [Fact]
    public async Task When_no_entry_has_all_the_words_those_are_found_that_have_the_rarest()
    {
        await NewAsync([.. Enumerable.Range(0, 40).Select(number => $"what did the weather do on day {number}"), "the zeppelin landed", "what a day"]);

        var page = await SearchAsync("what did the zeppelin do yesterday");

        Assert.False(page.MatchedAll);
        Assert.Equal(40, page.Hits[0].Index);
    }

    [Fact]
    public async Task Criteria_narrow_what_is_found()
    {
        var mine = await NewAsync(
            GrainCluster.Request(ComputeChoice.None, metadata: """{"source":"cron"}""") with { Harness = "claude" },
            Said("tick one") with { Role = EntryRole.Assistant },
            Said("tick two") with { Kind = "note", At = Noon.AddDays(-40) },
            Said("tick three") with { At = Noon.AddDays(1) });
        await NewAsync("tick other");

        Assert.Equal(4, (await SearchAsync("tick")).Hits.Length);
        Assert.Equal([0], await IndexesAsync(new("tick", 10, Role: EntryRole.Assistant)));
        Assert.Equal([1], await IndexesAsync(new("tick", 10, Kind: "note")));
        Assert.Equal([0, 1, 2], await IndexesAsync(new("tick", 10, SessionId: mine.SessionId)));
        Assert.Equal([0, 1, 2], await IndexesAsync(new("tick", 10, Harness: "claude")));
        Assert.Equal([0, 1, 2], await IndexesAsync(new("tick", 10, Source: "cron")));
        Assert.Equal([2], await IndexesAsync(new("tick", 10, Since: Noon.AddMinutes(1))));
        Assert.Equal([1], await IndexesAsync(new("tick", 10, Until: Noon)));
        Assert.Equal([0], await IndexesAsync(new("tick", 10, SessionId: mine.SessionId, Since: Noon, Until: Noon.AddMicroseconds(1))));
        Assert.Empty(await IndexesAsync(new("tick", 10, SessionId: mine.SessionId, Role: EntryRole.System)));
        Assert.Empty(await IndexesAsync(new("tick", 10, Since: Noon, Until: Noon.AddDays(-1))));
    }

    [Fact]
    public async Task What_is_purged_is_found_no_more_and_the_database_forgets_its_words()
    {
        var kept = await NewAsync("a walrus stays");
        var purged = await NewAsync("a walrus named Xylophilia leaves", "parseXylophilia", "数据库");
        Assert.Single((await SearchAsync("xylophilia leaves")).Hits);

        await _stores.Sessions.PurgeAsync(TestStores.Account, purged.SessionId, operation: null, CancellationToken.None);

        Assert.Equal(kept.SessionId, Assert.Single((await SearchAsync("walrus")).Hits).SessionId);
        Assert.Empty((await SearchAsync("xylophilia")).Hits);
        Assert.Empty((await SearchAsync("数据")).Hits);
        Assert.Equal(1L, Convert.ToInt64(await _stores.ScalarAsync("select count(*) from search_entry"), CultureInfo.InvariantCulture));
        Assert.Empty(await _stores.FindViolationsAsync());
    }

    [Fact]
    public async Task Pages_hold_every_match_once_though_more_arrive()
    {
        var session = await NewAsync([.. Enumerable.Range(0, 250).Select(number => $"common {number} {new string('y', number % 7)}")]);
        var found = new List<long>();
        var request = new SearchRequest("common", Limit: 30);
        SearchPage page;
        do
        {
            page = await _searcher.SearchAsync(TestStores.Account, request, CancellationToken.None);
            found.AddRange(page.Hits.Select(hit => hit.Index));
            session = await AppendAsync(session, Said("common late"));
            request = request with { After = page.Next };
        }
        while (page.Next is not null);

        Assert.Equal(Enumerable.Range(0, 250).Select(number => (long)number), found.Order());
    }

    [Fact]
    public async Task What_was_said_before_there_was_an_index_is_found_when_it_is_indexed()
    {
        var old = await NewAsync([.. Enumerable.Range(0, 1_100).Select(number => $"ancient number {number}")]);
        var purged = await NewAsync("ancient and purged");
        await _stores.ScalarAsync("delete from search_entry");
        await _stores.ScalarAsync(database == TestedDatabase.Sqlite ? "insert into search_word (search_word) values ('delete-all')" : "select 1");
        await _stores.ScalarAsync("insert into search_backlog (session_id, account_id, next, total) select session_id, account_id, 0, transcript_total from session");
        await _stores.Sessions.PurgeAsync(TestStores.Account, purged.SessionId, operation: null, CancellationToken.None);
        old = await AppendAsync(old, Said("ancient and new"));
        var backlog = new SearchBacklog(_stores.Backlog, TestStores.Searching);

        await Task.WhenAll(backlog.RunAsync(CancellationToken.None), backlog.RunAsync(CancellationToken.None));

        Assert.Equal(1099, Assert.Single((await SearchAsync("\"ancient number 1099\"")).Hits).Index);
        Assert.Empty((await SearchAsync("purged")).Hits);
        Assert.Equal(1101L, Convert.ToInt64(await _stores.ScalarAsync("select count(*) from search_entry"), CultureInfo.InvariantCulture));
        Assert.Equal(0L, Convert.ToInt64(await _stores.ScalarAsync("select count(*) from search_backlog"), CultureInfo.InvariantCulture));
        await _stores.Sessions.PurgeAsync(TestStores.Account, old.SessionId, operation: null, CancellationToken.None);
        Assert.Empty((await SearchAsync("ancient")).Hits);
    }

    [Fact]
    public async Task A_search_that_takes_too_long_is_broken_off_and_the_next_one_works()
    {
        var session = await NewAsync(GrainCluster.Request(ComputeChoice.None) with { Harness = "claude" }, Said("slow going"));
        var slow = database == TestedDatabase.Sqlite
            ? "(with recursive number (n) as (select 1 union all select n + 1 from number where n < 1000000000) select count(*) from number) > 0"
            : "pg_sleep(30) is not null";
        await _stores.ScalarAsync("alter table session rename to kept");
        await _stores.ScalarAsync($"create view session as select * from kept where {slow}");

        var refusal = await Assert.ThrowsAsync<CerverException>(
            () => _searcher.SearchAsync(TestStores.Account, new("going", 10, Harness: "claude"), CancellationToken.None));

        await _stores.ScalarAsync("drop view session");
        await _stores.ScalarAsync("alter table kept rename to session");
        Assert.Equal((CerverError.InvalidRequest, "q"), (refusal.Code, refusal.Field));
        await AppendAsync(session, Said("going on"));
        Assert.Equal([0, 1], await IndexesAsync(new("going", 10, Harness: "claude")));
    }

    [Fact]
    public async Task A_change_that_is_refused_leaves_nothing_in_the_index()
    {
        var session = await NewAsync("accepted");

        var stale = SessionChange.From(session with { Version = session.Version - 1 }, Noon, rewrites: false, [Said("refused")]);
        await Assert.ThrowsAsync<CerverException>(() => _stores.Sessions.CommitAsync(stale, CancellationToken.None));

        Assert.Empty((await SearchAsync("refused")).Hits);
        Assert.Single((await SearchAsync("accepted")).Hits);
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(300_000)]
    public async Task An_entry_of_any_length_is_taken_and_found_by_its_first_words(int words)
    {
        await NewAsync("beginning " + string.Join(' ', Enumerable.Range(0, words).Select(number => number.ToString("x", CultureInfo.InvariantCulture))));

        Assert.Single((await SearchAsync("beginning")).Hits);
        Assert.Single((await SearchAsync("\"beginning 0 1\"")).Hits);
    }

    private async Task<IEnumerable<long>> IndexesAsync(SearchRequest request) =>
        (await _searcher.SearchAsync(TestStores.Account, request, CancellationToken.None)).Hits.Select(hit => hit.Index).Order();

    private Task<SearchPage> SearchAsync(string query) => _searcher.SearchAsync(TestStores.Account, new SearchRequest(query, Limit: 50), CancellationToken.None);

    private Task<SessionRecord> NewAsync(params string[] texts) => NewAsync([.. texts.Select(Said)]);

    private Task<SessionRecord> NewAsync(params TranscriptEntry[] entries) => NewAsync(GrainCluster.Request(ComputeChoice.None), entries);

    private async Task<SessionRecord> NewAsync(CreateSession request, params TranscriptEntry[] entries)
    {
        var record = SessionRules.NewRecord(request, TestStores.Account, Ids.NewSession(TimeProvider.System), UnixMicroseconds.Round(TimeProvider.System.GetUtcNow()));
        var change = SessionChange.From(record, record.UpdatedAt, rewrites: true, []);
        await _stores.Sessions.CommitAsync(change, CancellationToken.None);
        return await AppendAsync(change.Next, entries);
    }

    private async Task<SessionRecord> AppendAsync(SessionRecord record, params TranscriptEntry[] entries)
    {
        var change = SessionChange.From(record, record.UpdatedAt, rewrites: false, [.. entries]);
        await _stores.Sessions.CommitAsync(change, CancellationToken.None);
        return change.Next;
    }

    private static TranscriptEntry Said(string text) => GrainCluster.Text(text) with { At = Noon };
}

public sealed class SqliteSearchTests() : SearchTests(TestedDatabase.Sqlite);

public sealed class PostgresSearchTests() : SearchTests(TestedDatabase.Postgres);
