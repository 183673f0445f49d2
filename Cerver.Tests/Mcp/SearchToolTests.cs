using System.Collections.Immutable;
using Cerver.Search;
using Cerver.Sessions;
using Cerver.Tests.Api;

namespace Cerver.Tests.Mcp;

/// <summary>What the search tool asks of the cluster and makes of the answer. What is found, the cluster's tests say.</summary>
public sealed class SearchToolTests
{
    private static readonly SearchHit Hit = new(
        "019ab2c4-e1d3-7b52-9c0e-5f8a7d164b20", "slow logins", 7, new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero), EntryRole.Tool, "tool_result", "the **index** is missing", 0.5);

    [Fact]
    public async Task A_search_asks_for_what_it_was_told_and_pages_on()
    {
        await using var api = await ApiHost.StartAsync();
        api.Cluster.Recall.Found = new SearchPage([Hit], new SearchCursor(41, 20, MatchedAll: true), MatchedAll: true);
        await using var agent = await ConnectAsync(api);
        var first = await agent.AskAsync("cerver_session_search", new
        {
            q = "index",
            limit = 5,
            role = "tool",
            kind = "tool_result",
            harness = "claude",
            source = "ci",
            since = "2026-05-01T00:00:00+02:00",
            until = "2026-06-01T00:00:00Z",
            session_id = Hit.SessionId,
        });
        var asked = api.Cluster.Recall.Sought!;
        var cursor = first.StructuredContent!.Value.GetProperty("next_cursor").GetString();
        await agent.CallAsync("cerver_session_search", new { q = "index", cursor });

        Assert.Equal(
            new SearchRequest(
                "index", 5, null, Hit.SessionId, EntryRole.Tool, "tool_result", new DateTimeOffset(2026, 4, 30, 22, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero), "claude", "ci"),
            asked);
        Assert.Equal(new SearchRequest("index", 20, new SearchCursor(41, 20, MatchedAll: true)), api.Cluster.Recall.Sought);
        Assert.Equal("all", first.StructuredContent.Value.GetProperty("matched").GetString());
        Assert.Equal(7, first.StructuredContent.Value.GetProperty("hits")[0].GetProperty("index").GetInt64());
        Assert.Contains($"cursor \"{cursor}\"", Agent.TextOf(first), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hits_that_are_long_stay_within_an_answer()
    {
        await using var api = await ApiHost.StartAsync();
        var hit = Hit with { SessionName = new string('中', 200), Snippet = new string('中', 400) };
        api.Cluster.Recall.Found = new SearchPage([.. Enumerable.Repeat(hit, 50)], Next: null, MatchedAll: false);
        await using var agent = await ConnectAsync(api);

        Assert.Equal(50, (await agent.CallAsync("cerver_session_search", new { q = "中", limit = 50 })).GetProperty("hits").GetArrayLength());
    }

    [Fact]
    public async Task A_search_that_ended_early_says_how_to_go_on_and_not_that_there_is_nothing()
    {
        await using var api = await ApiHost.StartAsync();
        api.Cluster.Recall.Found = new SearchPage([], new SearchCursor(41, 0, MatchedAll: true), MatchedAll: true);
        await using var agent = await ConnectAsync(api);

        var answer = await agent.AskAsync("cerver_session_search", new { q = "old" });

        Assert.Contains($"cursor \"{answer.StructuredContent!.Value.GetProperty("next_cursor").GetString()}\"", Agent.TextOf(answer), StringComparison.Ordinal);
        Assert.DoesNotContain("fewer or other words", Agent.TextOf(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_found_says_what_to_try()
    {
        await using var api = await ApiHost.StartAsync();
        await using var agent = await ConnectAsync(api);

        Assert.Contains("fewer or other words", Agent.TextOf(await agent.AskAsync("cerver_session_search", new { q = "nothing" })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"q": "x", "cursor": "AQ"}""", "'cursor' must be the 'next_cursor'")]
    [InlineData("""{"q": "x", "since": "yesterday"}""", "'since' must be a time as RFC 3339 writes it")]
    [InlineData("""{"q": ""}""", "'q' must be a text from 1 to 1,000 characters.")]
    [InlineData("{}", "'q' is missing")]
    public async Task A_question_that_is_wrong_is_refused(string arguments, string sentence)
    {
        await using var api = await ApiHost.StartAsync();
        await using var agent = await ConnectAsync(api);

        Assert.Contains(sentence, await agent.FailAsync("cerver_session_search", System.Text.Json.JsonElement.Parse(arguments)), StringComparison.Ordinal);
    }

    private static Task<Agent> ConnectAsync(ApiHost api) => Agent.ConnectAsync(api.Address, api.Alice.DefaultRequestHeaders.Authorization!.Parameter!);
}
