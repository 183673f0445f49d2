using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;
using Cerver.Sessions;
using Orleans.Runtime;

namespace Cerver.Tests.Api;

public sealed class SessionAnswerTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly ApiHost _api = fixture.Api;

    [Fact]
    public async Task A_created_session_is_answered_in_snake_case()
    {
        using var answer = await _api.SendAsync(HttpMethod.Post, "/v2/sessions", """{"session_name":"n","harness":"claude","compute":"local"}""");

        var id = answer.Json.GetProperty("session_id").GetString()!;
        Assert.Equal(201, answer.Status);
        Assert.True(Ids.IsSession(id));
        Assert.Equal(
            $$$"""{"session_id":"{{{id}}}","session_name":"n","status":"running","provider":"local","compute_id":"provider_local","sandbox_id":"sbx_1","harness":"claude","metrics":{"provision_time_ms":12,"run_count":0,"run_time_ms":0},"routing":{"recommended_provider":"local","confidence":1,"fallback_order":[]}}""",
            answer.Text);
        Assert.Equal($"/v2/sessions/{id}", answer.Response.Headers.Location!.ToString());
    }

    [Fact]
    public async Task A_record_has_both_spellings_of_every_name_and_the_same_values()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local","metadata":{"a":"é<>"}}""");

        using var answer = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}");

        var record = JsonNode.Parse(answer.Text)!.AsObject();
        string[] names =
        [
            "sessionId", "sessionName", "status", "endReason", "sessionType", "harness", "provider", "computeId", "sandboxId", "task", "workload", "requirements",
            "metadata", "metrics", "parentSessionId", "previousSessionId", "createdAt", "updatedAt", "messageCount", "transcriptTotal",
        ];
        foreach (var name in names)
        {
            Assert.True(record.ContainsKey(name), name);
            Assert.True(JsonNode.DeepEquals(record[name], record[JsonNamingPolicy.SnakeCaseLower.ConvertName(name)]), name);
        }

        Assert.Contains(""""metadata":{"a":"é<>"}"""", answer.Text, StringComparison.Ordinal);
        Assert.Equal("2026-05-01T12:00:00.0015Z", record["updatedAt"]!.GetValue<string>());
        Assert.Equal("[]", record["transcript"]!.ToJsonString());
    }

    [Fact]
    public async Task A_paused_session_has_no_sandbox_attached()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/pause");

        Assert.Equal("idle", answer.Json.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, answer.Json.GetProperty("sandboxId").ValueKind);
        Assert.Equal("provider_local", answer.Json.GetProperty("computeId").GetString());
    }

    [Fact]
    public async Task Appended_entries_come_back_as_they_went_in()
    {
        var id = await _api.CreateSessionAsync();

        using var appended = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/transcript", """
            {"entries":[{"at":"2026-05-01T12:00:00Z","role":"assistant","kind":"tool_use","content":"","tool_id":"t","tool_name":"run","tool_input":{"a":1},"is_error":true},
                        {"at":"2026-05-01T12:00:01Z","role":"user","content":"\ud83d\ude00 \u00e9 \"q\""}]}
            """);
        using var answer = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}");

        Assert.Equal((201, """{"ok":true,"appended":2,"transcriptTotal":2}"""), (appended.Status, appended.Text));
        Assert.EndsWith(
            ""","transcript":[{"at":"2026-05-01T12:00:00Z","role":"assistant","kind":"tool_use","content":"","tool_id":"t","tool_name":"run","tool_input":{"a":1},"is_error":true},{"at":"2026-05-01T12:00:01Z","role":"user","kind":"text","content":"\uD83D\uDE00 é \"q\""}]}""",
            answer.Text,
            StringComparison.Ordinal);
        Assert.NotNull(answer.Response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Input_is_exactly_one_entry_of_the_user()
    {
        var id = await _api.CreateSessionAsync();

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/input", """{"content":"hi","role":"user"}""");

        Assert.Equal($$"""{"ok":true,"session_id":"{{id}}","status":"idle","transcriptTotal":1}""", answer.Text);
        Assert.Equal([new TranscriptEntry(At: null, EntryRole.User, "text", "hi")], Session(id).Entries);
    }

    [Theory]
    [InlineData("", 0, 25)]
    [InlineData("?full=1", 0, 25)]
    [InlineData("?since=0", 0, 25)]
    [InlineData("?since=7", 7, 25)]
    [InlineData("?since=25", 25, 25)]
    [InlineData("?since=9223372036854775807", 25, 25)]
    [InlineData("?tail=0", 25, 25)]
    [InlineData("?tail=3", 22, 25)]
    [InlineData("?tail=9223372036854775807", 0, 25)]
    public async Task A_long_transcript_is_read_page_by_page(string query, int from, int to)
    {
        var id = await _api.CreateSessionAsync();
        var entries = string.Join(',', Enumerable.Range(0, 25).Select(static index => $$"""{"role":"user","content":"{{index}}"}"""));
        using var appended = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/transcript", $$"""{"entries":[{{entries}}]}""");
        _api.Cluster.Recall.PageSize = 4;

        using var answer = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}{query}");
        _api.Cluster.Recall.PageSize = 1_000;

        Assert.Equal(
            Enumerable.Range(from, to - from).Select(static index => $"{index}"),
            answer.Json.GetProperty("transcript").EnumerateArray().Select(static entry => entry.GetProperty("content").GetString()),
            StringComparer.Ordinal);
        Assert.Equal(25, answer.Json.GetProperty("transcriptTotal").GetInt32());
    }

    [Fact]
    public async Task A_list_hands_on_what_was_asked_and_where_to_go_on()
    {
        await _api.CreateSessionAsync();
        await _api.CreateSessionAsync();

        using var answer = await _api.SendAsync(HttpMethod.Get, "/v2/sessions?limit=1&status=paused&source=cli&harness=claude&q=x%20y");
        var cursor = answer.Json.GetProperty("next_cursor").GetString();
        using var next = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions?cursor={cursor}");

        var filter = _api.Cluster.Recall.Filter!;
        Assert.Equal(200, next.Status);
        Assert.Equal((20, (SessionStatus?)null), (filter.Limit, filter.Status));
        Assert.Equal(Examples.Session.UpdatedAt, filter.After!.UpdatedAt);
    }

    [Fact]
    public async Task A_session_that_ended_is_answered_as_ended()
    {
        var id = await _api.CreateSessionAsync();

        using var answer = await _api.SendAsync(HttpMethod.Delete, $"/v2/sessions/{id}?purge=1");

        Assert.Equal((200, $$"""{"ok":true,"session_id":"{{id}}","status":"ended"}"""), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task Resuming_without_a_body_takes_what_the_session_had()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");

        using var without = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/resume");
        Assert.Null(Session(id).Chosen);
        using var withNull = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/resume", """{"compute":null}""");
        Assert.Null(Session(id).Chosen);
        using var with = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/resume", """{"compute":"e2b"}""");

        Assert.Equal(new ComputeChoice(ComputeChoiceKind.Provider, "e2b"), Session(id).Chosen);
        Assert.Equal((200, 200, 200), (without.Status, withNull.Status, with.Status));
    }

    [Fact]
    public async Task Compute_by_priority_is_the_first_that_can_take_the_session()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");
        _api.Cluster.Failures.Enqueue(new CerverException(CerverError.NoCompute, "Not that one."));

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/change-compute", """{"compute_priority":["e2b","local"]}""");

        Assert.Equal((200, new ComputeChoice(ComputeChoiceKind.Provider, "local")), (answer.Status, Session(id).Chosen));
    }

    [Fact]
    public async Task A_write_that_was_overtaken_is_made_again()
    {
        var id = await _api.CreateSessionAsync();
        _api.Cluster.Failures.Enqueue(new CerverException(CerverError.Fenced, "Overtaken."));
        _api.Cluster.Failures.Enqueue(new CerverException(CerverError.Fenced, "Overtaken."));

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/transcript", """{"entries":[{"role":"user","content":"hi"}]}""");

        Assert.Equal((201, 1), (answer.Status, Session(id).Entries.Count));
    }

    [Theory]
    [InlineData(409, "conflict", null)]
    [InlineData(503, "storage_unavailable", "1")]
    [InlineData(429, "rate_limited", "1")]
    [InlineData(504, "timeout", "1")]
    [InlineData(503, "unavailable", "1")]
    [InlineData(500, "internal", null)]
    public async Task What_a_grain_refuses_is_answered_by_the_table(int status, string code, string? retryAfter)
    {
        var id = await _api.CreateSessionAsync();
        _api.Cluster.Failures.Enqueue(code switch
        {
            "conflict" => new CerverException(CerverError.Conflict, "No."),
            "storage_unavailable" => new CerverException(CerverError.StorageUnavailable, "No."),
            "rate_limited" => new CerverException(CerverError.RateLimited, "No."),
            "timeout" => new TimeoutException("secret"),
            "unavailable" => new SiloUnavailableException("secret"),
            _ => new InvalidOperationException("secret"),
        });

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/pause");

        Assert.Equal((status, code, retryAfter), (answer.Status, answer.Code, answer.Response.Headers.RetryAfter?.ToString()));
        Assert.Equal(status == 500, answer.Json.TryGetProperty("trace_id", out _));
        Assert.DoesNotContain("secret", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_compute_the_report_says_what_each_lacks()
    {
        _api.Cluster.Failures.Enqueue(new CerverException(
            CerverError.NoCompute, "No compute.", report: new ComputeReport("""{"runtime":"node"}""", [new("e2b", ComputeId: null, Ready: false, ["No key."])])));

        using var answer = await _api.SendAsync(HttpMethod.Post, "/v2/sessions", """{"compute":"e2b"}""");

        Assert.Equal(409, answer.Status);
        Assert.Equal(
            """{"error":"No compute.","code":"no_compute","report":{"requirements":{"runtime":"node"},"candidates":[{"provider":"e2b","compute_id":null,"ready":false,"reasons":["No key."]}]}}""",
            answer.Text);
    }

    [Fact]
    public async Task Runs_are_listed_read_and_cancelled()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");
        var runId = Ids.NewRun(TimeProvider.System);
        Session(id).Runs[runId] = Examples.Run with { RunId = runId, SessionId = id };

        using var list = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}/runs?limit=1");
        using var rest = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}/runs?cursor={list.Json.GetProperty("next_cursor").GetString()}");
        using var one = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}/runs/{runId}");
        using var cancelled = await _api.SendAsync(HttpMethod.Delete, $"/v2/sessions/{id}/runs/{runId}");
        Session(id).Runs[runId] = Examples.Run with { RunId = runId, Status = RunStatus.Cancelled, ExitCode = 143, EndedAt = Examples.Noon };
        using var again = await _api.SendAsync(HttpMethod.Delete, $"/v2/sessions/{id}/runs/{runId}");

        Assert.Equal("""{"runs":[],"next_cursor":null}""", rest.Text);
        Assert.Equal(
            $$"""{"run_id":"{{runId}}","session_id":"{{id}}","sandbox_id":"sbx_1","runtime":"shell","code":"echo hi","status":"running","exit_code":null,"duration_ms":null,"truncated":false,"started_at":"2026-05-01T12:00:00Z","ended_at":null}""",
            one.Text);
        Assert.Equal((202, 200), (cancelled.Status, again.Status));
        Assert.Single(_api.Cluster.Compute.Cancelled, cancelledId => string.Equals(cancelledId, runId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Computes_say_what_they_lack()
    {
        using var answer = await _api.SendAsync(HttpMethod.Get, "/v2/computes");

        Assert.Equal(
            """{"computes":[{"compute_id":"provider_local","label":"This machine","provider":"local","status":"unconfigured","reason":"bubblewrap is missing.","scope":"shared","kind":"host","last_heartbeat_at":null,"capabilities":{"runtimes":["shell"],"cli_tools":[],"network":false,"stdin":false,"reattach":false,"replay":false,"pause":false,"snapshot":false,"files":false,"ports":false,"limits":{"memory_bytes":{"held_by":"none","value":null},"cpus":{"held_by":"none","value":null},"processes":{"held_by":"none","value":null},"disk_bytes":{"held_by":"none","value":null}}},"owner_id":null}]}""",
            answer.Text);
    }

    [Fact]
    public async Task A_session_has_metrics_of_its_own_address()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");

        using var answer = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}/metrics");

        Assert.Equal($$$"""{"session_id":"{{{id}}}","metrics":{"provision_time_ms":12,"run_count":0,"run_time_ms":0}}""", answer.Text);
    }

    private FakeSession Session(string id) => _api.Cluster.Session(SessionKey.For("alice", id));
}
