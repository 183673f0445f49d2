using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using static Cerver.Tests.Http.GatewayFixture;

namespace Cerver.Tests.Http;

[Collection(nameof(GatewayFixture))]
public sealed class SessionHttpTests(GatewayFixture gateway)
{
    [Fact]
    public async Task A_session_is_created_with_the_first_compute_that_is_ready()
    {
        using var response = await gateway.Client.PostAsJsonAsync("/v2/sessions", new { session_name = "first", harness = new { type = "claude" } });

        var body = await JsonAsync(response);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(
            ("first", "running", "local", "provider_local", "claude"),
            (Text(body, "session_name"), Text(body, "status"), Text(body, "provider"), Text(body, "compute_id"), Text(body, "harness")));
        Assert.StartsWith("sbx_", Text(body, "sandbox_id"), StringComparison.Ordinal);
        Assert.Equal("local", Text(body.GetProperty("routing"), "recommended_provider"));
    }

    [Fact]
    public async Task A_transcript_session_has_no_compute()
    {
        using var response = await gateway.Client.PostAsJsonAsync("/v2/sessions", new { session_type = "transcript", harness = "codex" });

        var body = await JsonAsync(response);
        Assert.Equal(("idle", "none", "codex"), (Text(body, "status"), Text(body, "provider"), Text(body, "harness")));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (body.GetProperty("compute_id").ValueKind, body.GetProperty("sandbox_id").ValueKind));
    }

    [Fact]
    public async Task A_provider_that_is_not_there_is_a_conflict_with_a_report()
    {
        using var response = await gateway.Client.PostAsJsonAsync("/v2/sessions", new { compute = "e2b", requirements = new { runtime = "python" } });

        var body = await JsonAsync(response);
        Assert.Equal((HttpStatusCode.Conflict, "no_compute"), (response.StatusCode, Text(body, "code")));
        var report = body.GetProperty("report");
        Assert.Equal("python", Text(report.GetProperty("requirements"), "runtime"));
        var candidate = Assert.Single(report.GetProperty("candidates").EnumerateArray().ToArray());
        Assert.Equal(("e2b", false), (Text(candidate, "provider"), candidate.GetProperty("ready").GetBoolean()));
        Assert.NotEqual(0, candidate.GetProperty("reasons").GetArrayLength());
    }

    [Fact]
    public async Task A_record_carries_both_casings_and_its_transcript()
    {
        var id = await gateway.CreateTranscriptAsync();
        await AppendAsync(id, new { role = "user", content = "hello" }, new { role = "assistant", kind = "tool_use", content = "", tool_name = "t", tool_input = new { a = 1 } });

        var record = await gateway.GetAsync($"/v2/sessions/{id}");

        foreach (var name in (string[])["sessionId", "sessionName", "endReason", "sessionType", "computeId", "sandboxId", "parentSessionId", "createdAt", "updatedAt", "messageCount", "transcriptTotal"])
        {
            var twin = string.Concat(name.Select(c => char.IsAsciiLetterUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{c}"));
            Assert.Equal(record.GetProperty(name).GetRawText(), record.GetProperty(twin).GetRawText());
        }

        Assert.Equal(2, record.GetProperty("transcriptTotal").GetInt32());
        var entries = record.GetProperty("transcript").EnumerateArray().ToArray();
        Assert.Equal(("user", "text", "hello"), (Text(entries[0], "role"), Text(entries[0], "kind"), Text(entries[0], "content")));
        Assert.Equal(1, entries[1].GetProperty("tool_input").GetProperty("a").GetInt32());
        Assert.False(entries[0].TryGetProperty("tool_id", out _));
    }

    [Theory]
    [InlineData("", 0, 5)]
    [InlineData("?full=1", 0, 5)]
    [InlineData("?since=3", 3, 2)]
    [InlineData("?since=99", 5, 0)]
    [InlineData("?tail=2", 3, 2)]
    [InlineData("?tail=0", 5, 0)]
    [InlineData("?tail=9223372036854775807", 0, 5)]
    [InlineData("?since=9223372036854775807", 5, 0)]
    public async Task A_slice_is_what_was_asked_for_and_the_total_is_always_the_whole(string query, int first, int count)
    {
        var id = await gateway.CreateTranscriptAsync();
        await AppendAsync(id, [.. Enumerable.Range(0, 5).Select(i => new { role = "user", content = $"{i}" })]);

        var record = await gateway.GetAsync($"/v2/sessions/{id}{query}");

        Assert.Equal(5, record.GetProperty("transcriptTotal").GetInt32());
        Assert.Equal(
            Enumerable.Range(first, count).Select(i => $"{i}"),
            record.GetProperty("transcript").EnumerateArray().Select(entry => Text(entry, "content")));
    }

    [Fact]
    public async Task A_long_transcript_comes_whole()
    {
        var id = await gateway.CreateTranscriptAsync();
        var filler = new string('x', 1000);
        for (var part = 0; part < 5; part++)
        {
            await AppendAsync(id, [.. Enumerable.Range(0, 1000).Select(i => new { role = "user", content = $"{(part * 1000) + i} {filler}" })]);
        }

        var record = await gateway.GetAsync($"/v2/sessions/{id}");

        Assert.Equal(Enumerable.Range(0, 5000), record.GetProperty("transcript").EnumerateArray().Select(entry => int.Parse(Text(entry, "content")!.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task A_list_pages_through_all_sessions_most_recently_active_first()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await gateway.CreateAsync(new { session_type = "transcript", harness = "paging", metadata = new { source = "list-test" } }));
        }

        await AppendAsync(ids[0], new { role = "user", content = "active again" });

        var seen = new List<string>();
        var cursor = "";
        do
        {
            var page = await gateway.GetAsync($"/v2/sessions?limit=2&harness=paging&source=list-test&status=paused{cursor}");
            seen.AddRange(page.GetProperty("sessions").EnumerateArray().Select(session => Text(session, "sessionId")!));
            Assert.All(page.GetProperty("sessions").EnumerateArray(), session => Assert.False(session.TryGetProperty("transcript", out _)));
            cursor = page.GetProperty("next_cursor").ValueKind == JsonValueKind.Null ? "" : $"&cursor={Text(page, "next_cursor")}";
        }
        while (cursor.Length > 0);
        Assert.Equal([ids[0], ids[4], ids[3], ids[2], ids[1]], seen);
    }

    [Fact]
    public async Task A_list_is_narrowed_by_provider_and_by_the_time_of_the_last_activity()
    {
        var first = await gateway.CreateAsync(new { session_type = "transcript", harness = "narrowing" });
        var second = await gateway.CreateAsync(new { compute = "local", harness = "narrowing" });
        var third = await gateway.CreateAsync(new { session_type = "transcript", harness = "narrowing" });
        var at = Text(await gateway.GetAsync($"/v2/sessions/{second}?tail=0"), "updatedAt");

        Assert.Equal([second], await ListAsync("provider=local"));
        Assert.Equal([third, first], await ListAsync("provider=none"));
        Assert.Equal([third, second], await ListAsync($"since={at}"));
        Assert.Equal([first], await ListAsync($"until={at}"));
        Assert.Equal([first], await ListAsync($"until={at}&since=2020-02-29T23:59:59%2B05:30"));
        Assert.Equal([third], await ListAsync($"since={at}&provider=none"));

        async Task<string[]> ListAsync(string query) =>
            [.. (await gateway.GetAsync($"/v2/sessions?harness=narrowing&{query}")).GetProperty("sessions").EnumerateArray().Select(session => Text(session, "sessionId")!)];
    }

    [Theory]
    [InlineData("since", "yesterday")]
    [InlineData("since", "2026-05-01")]
    [InlineData("until", "2026-05-01T12:00:00")]
    [InlineData("until", "2026-05-01T12:00:00+02:00")]
    [InlineData("until", "2026-05-01T12:00:00Z&until=2026-05-01T12:00:00Z")]
    public async Task A_time_that_is_none_is_refused_with_its_name(string name, string value)
    {
        using var response = await gateway.Client.GetAsync(new Uri($"/v2/sessions?{name}={value}", UriKind.Relative));

        var refusal = await JsonAsync(response);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request", name), (response.StatusCode, Text(refusal, "code"), Text(refusal, "field")));
    }

    [Fact]
    public async Task Another_accounts_session_does_not_exist_on_any_route()
    {
        var id = await gateway.CreateAsync();
        var run = await JsonAsync(await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/run", new { code = "true" }));
        foreach (var (method, path, body) in (IEnumerable<(HttpMethod, string, object?)>)[
            (HttpMethod.Get, "", null), (HttpMethod.Patch, "", new { session_name = "mine" }), (HttpMethod.Delete, "", null), (HttpMethod.Delete, "?purge=1", null),
            (HttpMethod.Post, "/input", new { content = "x" }), (HttpMethod.Post, "/transcript", new { entries = new[] { new { role = "user", content = "x" } } }),
            (HttpMethod.Post, "/run", new { code = "true" }), (HttpMethod.Post, "/run/stream", new { code = "true" }), (HttpMethod.Get, "/runs", null),
            (HttpMethod.Get, $"/runs/{Text(run, "run_id")}", null), (HttpMethod.Get, $"/runs/{Text(run, "run_id")}/stream", null), (HttpMethod.Delete, $"/runs/{Text(run, "run_id")}", null),
            (HttpMethod.Post, "/resume", new { }), (HttpMethod.Post, "/pause", null), (HttpMethod.Post, "/compute", new { compute = "none" }), (HttpMethod.Get, "/metrics", null)])
        {
            using var request = new HttpRequestMessage(method, $"/v2/sessions/{id}{path}") { Content = body is null ? null : JsonContent.Create(body) };
            using var response = await gateway.Other.SendAsync(request);

            Assert.True(response.StatusCode == HttpStatusCode.NotFound, $"{method} {path}: {response.StatusCode}");
            Assert.Equal("not_found", Text(await JsonAsync(response), "code"));
        }

        Assert.Equal("running", Text(await gateway.GetAsync($"/v2/sessions/{id}"), "status"));
        using var list = await gateway.Other.GetAsync(new Uri("/v2/sessions", UriKind.Relative));
        Assert.Empty((await JsonAsync(list)).GetProperty("sessions").EnumerateArray());
    }

    [Fact]
    public async Task Without_a_token_nothing_but_the_meta_pages_answers()
    {
        foreach (var path in (string[])["/", "/livez", "/healthz", "/readyz", "/openapi/v1.json", "/docs"])
        {
            using var open = await gateway.Stranger.GetAsync(new Uri(path, UriKind.Relative));
            Assert.True(open.IsSuccessStatusCode, path);
        }

        using var refused = await gateway.Stranger.GetAsync(new Uri("/v2/sessions", UriKind.Relative));
        Assert.Equal((HttpStatusCode.Unauthorized, "unauthorized"), (refused.StatusCode, Text(await JsonAsync(refused), "code")));
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public async Task Deleting_twice_is_fine_and_the_session_takes_nothing_more()
    {
        var id = await gateway.CreateAsync();

        foreach (var _ in Enumerable.Range(0, 2))
        {
            using var deleted = await gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{id}", UriKind.Relative));
            var body = await JsonAsync(deleted);
            Assert.Equal((HttpStatusCode.OK, true, "ended"), (deleted.StatusCode, body.GetProperty("ok").GetBoolean(), Text(body, "status")));
        }

        foreach (var (path, body, code) in (IEnumerable<(string, object, string)>)[
            ("run", new { code = "true" }, "session_ended"), ("input", new { content = "x" }, "session_ended"), ("resume", new { }, "not_resumable"), ("pause", new { }, "session_ended")])
        {
            using var refused = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/{path}", body);
            Assert.Equal((HttpStatusCode.Conflict, code), (refused.StatusCode, Text(await JsonAsync(refused), "code")));
        }

        Assert.False(Directory.Exists(Path.Combine(gateway.DataDirectory, "sandboxes", id)));
    }

    [Fact]
    public async Task A_purged_session_is_gone()
    {
        var id = await gateway.CreateTranscriptAsync();
        using var purged = await gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{id}?purge=1", UriKind.Relative));

        using var read = await gateway.Client.GetAsync(new Uri($"/v2/sessions/{id}", UriKind.Relative));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (purged.StatusCode, read.StatusCode));
    }

    [Fact]
    public async Task A_paused_session_goes_on_with_its_files_and_its_transcript()
    {
        var id = await gateway.CreateAsync();
        await RunAsync(id, "echo kept > note");
        await AppendAsync(id, new { role = "user", content = "remember" });

        var paused = await JsonAsync(await gateway.Client.PostAsync(new Uri($"/v2/sessions/{id}/pause", UriKind.Relative), content: null));
        var resumed = await JsonAsync(await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/resume", new { }));

        Assert.Equal(("idle", JsonValueKind.Null), (Text(paused, "status"), paused.GetProperty("sandboxId").ValueKind));
        Assert.Equal("running", Text(resumed, "status"));
        Assert.Equal("kept\n", Text(await RunAsync(id, "cat note"), "stdout"));
        Assert.Equal("remember", Text((await gateway.GetAsync($"/v2/sessions/{id}?since=2")).GetProperty("transcript")[0], "content"));
    }

    [Fact]
    public async Task An_input_resumes_a_paused_session_and_appends_exactly_one_entry()
    {
        var id = await gateway.CreateAsync();
        await gateway.Client.PostAsync(new Uri($"/v2/sessions/{id}/pause", UriKind.Relative), content: null);

        var answer = await JsonAsync(await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/input", new { content = "go on" }));

        Assert.Equal((true, id, "running", 1), (answer.GetProperty("ok").GetBoolean(), Text(answer, "session_id"), Text(answer, "status"), answer.GetProperty("transcriptTotal").GetInt32()));
    }

    [Fact]
    public async Task Compute_is_put_under_a_transcript_session_and_taken_away()
    {
        var id = await gateway.CreateTranscriptAsync();

        var with = await JsonAsync(await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/compute", new { compute = new { provider = "local" } }));
        var ran = await RunAsync(id, "echo here");
        var without = await JsonAsync(await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/change-compute", new { compute_priority = new[] { "provider_local" } }));

        Assert.Equal(("running", "local"), (Text(with, "status"), Text(with, "provider")));
        Assert.Equal("here\n", Text(ran, "stdout"));
        Assert.Equal("provider_local", Text(without, "computeId"));
    }

    [Fact]
    public async Task Everything_of_a_session_is_there_after_a_restart()
    {
        var id = await gateway.CreateAsync(new { session_name = "survivor", metadata = new { a = new[] { 1, 2 } } });
        await RunAsync(id, "echo kept > note");
        var before = await gateway.GetAsync($"/v2/sessions/{id}");

        await gateway.RestartAsync();

        var after = await gateway.GetAsync($"/v2/sessions/{id}");
        Assert.Equal(before.GetProperty("transcript").GetRawText(), after.GetProperty("transcript").GetRawText());
        Assert.Equal(before.GetProperty("metadata").GetRawText(), after.GetProperty("metadata").GetRawText());
        Assert.Equal("idle", Text(after, "status"));
        Assert.Equal("kept\n", Text(await RunAsync(id, "cat note"), "stdout"));
    }

    private async Task<JsonElement> RunAsync(string id, string code)
    {
        using var response = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/run", new { code });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await JsonAsync(response)).GetProperty("result");
    }

    private async Task AppendAsync(string id, params object[] entries)
    {
        using var response = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/transcript", new { entries });
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
