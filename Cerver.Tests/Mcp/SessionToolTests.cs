using Cerver.Tests.Http;

namespace Cerver.Tests.Mcp;

[Collection(nameof(GatewayFixture))]
public sealed class SessionToolTests(GatewayFixture gateway) : IAsyncLifetime
{
    private Agent _agent = null!;

    public async Task InitializeAsync() => _agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token);

    public async Task DisposeAsync() => await _agent.DisposeAsync();

    [Fact]
    public async Task A_session_is_created_found_resumed_and_ended()
    {
        var created = await _agent.CallAsync("cerver_session_create", new { session_name = "a whole life", compute = "local", metadata = new { source = "life" } });
        var sessionId = created.GetProperty("session_id").GetString();
        var found = await _agent.CallAsync("cerver_session_list", new { status = "running", source = "life", provider = "local", since = "2026-01-01T00:00:00Z" });
        var before = await _agent.CallAsync("cerver_session_list", new { source = "life", until = "2026-01-01T00:00:00Z" });
        var elsewhere = await _agent.CallAsync("cerver_session_list", new { source = "life", provider = "none" });
        var resumed = await _agent.CallAsync("cerver_session_resume", new { session_id = sessionId });
        var ended = await _agent.CallAsync("cerver_session_end", new { session_id = sessionId });

        Assert.Equal("a whole life", Assert.Single(found.GetProperty("sessions").EnumerateArray()).GetProperty("session_name").GetString());
        Assert.Empty(before.GetProperty("sessions").EnumerateArray());
        Assert.Empty(elsewhere.GetProperty("sessions").EnumerateArray());
        Assert.Equal("running", resumed.GetProperty("status").GetString());
        Assert.Equal("ended", ended.GetProperty("status").GetString());
        Assert.Contains("code: session_ended", await _agent.FailAsync("cerver_session_input", new { session_id = sessionId, content = "too late" }), StringComparison.Ordinal);
        Assert.Contains("cerver_session_create", await _agent.FailAsync("cerver_session_resume", new { session_id = sessionId }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_list_comes_in_pages_that_fit_into_an_answer()
    {
        var name = new string('中', 200);
        for (var count = 0; count < 90; count++)
        {
            await gateway.CreateAsync(new { session_type = "transcript", session_name = name, task = name + name, metadata = new { source = "long" } });
        }

        var (ids, cursor, pages) = (new List<string>(), "", 0);
        while (cursor is not null)
        {
            var answer = await _agent.AskAsync("cerver_session_list", new { source = "long", limit = 200, cursor });
            var page = answer.StructuredContent!.Value;
            ids.AddRange(page.GetProperty("sessions").EnumerateArray().Select(static session => session.GetProperty("session_id").GetString()!));
            cursor = page.GetProperty("next_cursor").GetString();
            Assert.Equal(cursor is not null, Agent.TextOf(answer).Contains($"cursor \"{cursor}\"", StringComparison.Ordinal));
            pages++;
        }

        Assert.Equal(90, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(90, ids.Count);
        Assert.InRange(pages, 2, 10);
    }

    [Fact]
    public async Task Another_account_sees_and_does_nothing()
    {
        var sessionId = await gateway.CreateTranscriptAsync();
        await using var other = await Agent.ConnectAsync(gateway.Address, GatewayFixture.OtherToken);
        (string Tool, object Arguments)[] calls =
        [
            ("cerver_session_peek", new { session_id = sessionId }),
            ("cerver_session_export", new { session_id = sessionId }),
            ("cerver_session_append", new { session_id = sessionId, entries = new[] { new { role = "user", content = "mine" } } }),
            ("cerver_session_input", new { session_id = sessionId, content = "mine" }),
            ("cerver_run", new { session_id = sessionId, code = "true" }),
            ("cerver_session_resume", new { session_id = sessionId }),
        ];

        var listed = await other.CallAsync("cerver_session_list", new { limit = 200 });

        Assert.DoesNotContain(sessionId, listed.GetRawText(), StringComparison.Ordinal);
        foreach (var (tool, arguments) in calls)
        {
            Assert.Contains("code: not_found", await other.FailAsync(tool, arguments), StringComparison.Ordinal);
        }

        Assert.Equal(0, (await gateway.GetAsync($"/v2/sessions/{sessionId}")).GetProperty("transcriptTotal").GetInt64());
    }

    [Fact]
    public async Task A_write_with_a_key_happens_once()
    {
        var arguments = new { session_name = "once", session_type = "transcript", idempotency_key = "mcp-once" };
        var first = await _agent.CallAsync("cerver_session_create", arguments);
        var second = await _agent.AskAsync("cerver_session_create", new { idempotency_key = "mcp-once", session_type = "transcript", session_name = "once" });

        Assert.Equal(first.GetProperty("session_id").GetString(), second.StructuredContent!.Value.GetProperty("session_id").GetString());
        Assert.Contains("nothing was done again", Agent.TextOf(second), StringComparison.Ordinal);
        Assert.Contains(
            "code: idempotency_mismatch",
            await _agent.FailAsync("cerver_session_create", new { session_name = "another", session_type = "transcript", idempotency_key = "mcp-once" }),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_compute_can_do_is_answered_with_what_each_lacks()
    {
        var text = await _agent.FailAsync("cerver_session_create", new { compute = "e2b" });

        Assert.Contains("code: no_compute", text, StringComparison.Ordinal);
        Assert.Contains("cerver_compute_list", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Computes_are_listed_with_what_they_can_do()
    {
        var computes = await _agent.CallAsync("cerver_compute_list");

        Assert.Contains(computes.GetProperty("computes").EnumerateArray(), static compute => compute.GetProperty("compute_id").GetString() == "provider_local");
    }

    [Theory]
    [InlineData("""{"limit": 201}""", "'limit' must be a whole number from 1 to 200.")]
    [InlineData("""{"limit": "5"}""", "'limit' must be a whole number from 1 to 200.")]
    [InlineData("""{"status": "asleep"}""", "'status' must be one of idle, running, ended.")]
    [InlineData("""{"stat": "idle"}""", "'stat' is not known here; known are cursor, harness, limit, provider, q, since, source, status, until.")]
    [InlineData("""{"cursor": "zzz"}""", "'cursor' must be the 'next_cursor'")]
    [InlineData("""{"q": "a\u0000b"}""", "'q' must not contain the character U+0000.")]
    public async Task An_argument_that_is_wrong_is_named(string arguments, string sentence) => Assert.Contains(
        sentence, await _agent.FailAsync("cerver_session_list", System.Text.Json.JsonElement.Parse(arguments)), StringComparison.Ordinal);

    [Fact]
    public async Task An_argument_that_is_missing_is_named() =>
        Assert.Contains("'session_id' is missing", await _agent.FailAsync("cerver_session_peek"), StringComparison.Ordinal);

    [Fact]
    public async Task Null_is_the_same_as_left_out()
    {
        var listed = await _agent.CallAsync("cerver_session_list", new { status = (string?)null, limit = (int?)null });

        Assert.True(listed.GetProperty("sessions").GetArrayLength() <= 20);
    }
}
