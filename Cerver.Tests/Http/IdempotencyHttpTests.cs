using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cerver.Tests.Http;

/// <summary>Requests with an <c>Idempotency-Key</c> over HTTP.</summary>
[Collection(nameof(GatewayFixture))]
public sealed class IdempotencyHttpTests(GatewayFixture gateway)
{
    private const string Replayed = "Idempotency-Replayed";

    [Theory]
    [InlineData("", """{"session_type":"transcript"}""")]
    [InlineData("/{id}/transcript", """{"entries":[{"role":"user","content":"hello"}]}""")]
    [InlineData("/{id}/input", """{"content":"hello"}""")]
    [InlineData("/{id}/compute", """{"compute":null}""")]
    [InlineData("/{id}/change-compute", """{"compute_priority":["none"]}""")]
    [InlineData("/{id}/pause", "")]
    public async Task A_write_that_is_sent_again_answers_byte_for_byte_as_the_first_time(string path, string body)
    {
        var session = await gateway.CreateTranscriptAsync();
        var (address, key) = ($"/v2/sessions{path.Replace("{id}", session, StringComparison.Ordinal)}", NewKey());

        using var first = await PostAsync(address, key, body);
        using var again = await PostAsync(address, key, body);

        Assert.True(first.IsSuccessStatusCode);
        Assert.False(first.Headers.Contains(Replayed));
        Assert.Equal("true", Assert.Single(again.Headers.GetValues(Replayed)));
        Assert.Equal((first.StatusCode, await first.Content.ReadAsStringAsync()), (again.StatusCode, await again.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_resume_that_is_sent_again_after_a_pause_answers_as_the_first_time_and_leaves_the_session_idle()
    {
        var (session, key) = (await gateway.CreateAsync(new { compute = "local" }), NewKey());
        using var paused = await PostAsync($"/v2/sessions/{session}/pause", NewKey(), "");
        using var first = await PostAsync($"/v2/sessions/{session}/resume", key, "{}");
        using var pausedAgain = await PostAsync($"/v2/sessions/{session}/pause", NewKey(), "");

        using var again = await PostAsync($"/v2/sessions/{session}/resume", key, "{}");

        Assert.Equal("running", (await GatewayFixture.JsonAsync(first)).GetProperty("status").GetString());
        Assert.Equal((true, await first.Content.ReadAsStringAsync()), (again.Headers.Contains(Replayed), await again.Content.ReadAsStringAsync()));
        Assert.Equal("idle", (await gateway.GetAsync($"/v2/sessions/{session}")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_change_of_the_record_that_is_sent_again_does_not_undo_a_later_one()
    {
        var (session, key) = (await gateway.CreateTranscriptAsync(), NewKey());
        using var first = await SendAsync(HttpMethod.Patch, $"/v2/sessions/{session}", key, """{"session_name":"first"}""");
        using var later = await SendAsync(HttpMethod.Patch, $"/v2/sessions/{session}", NewKey(), """{"session_name":"later"}""");

        using var again = await SendAsync(HttpMethod.Patch, $"/v2/sessions/{session}", key, """{"session_name":"first"}""");

        Assert.Equal((true, await first.Content.ReadAsStringAsync()), (again.Headers.Contains(Replayed), await again.Content.ReadAsStringAsync()));
        Assert.Equal("later", (await gateway.GetAsync($"/v2/sessions/{session}")).GetProperty("sessionName").GetString());
    }

    [Fact]
    public async Task A_key_survives_a_restart_of_the_gateway()
    {
        var (session, key) = (await gateway.CreateTranscriptAsync(), NewKey());
        const string Body = """{"entries":[{"role":"user","content":"once"}]}""";
        using var first = await PostAsync($"/v2/sessions/{session}/transcript", key, Body);

        await gateway.RestartAsync();
        using var again = await PostAsync($"/v2/sessions/{session}/transcript", key, Body);

        Assert.Equal("true", Assert.Single(again.Headers.GetValues(Replayed)));
        Assert.Equal(1, (await gateway.GetAsync($"/v2/sessions/{session}")).GetProperty("transcriptTotal").GetInt32());
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_422()
    {
        var (session, key) = (await gateway.CreateTranscriptAsync(), NewKey());
        using var first = await PostAsync($"/v2/sessions/{session}/input", key, """{"content":"one"}""");

        using var other = await PostAsync($"/v2/sessions/{session}/input", key, """{"content":"two"}""");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.Equal("idempotency_mismatch", (await GatewayFixture.JsonAsync(other)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_run_that_is_sent_again_is_one_run_with_one_answer()
    {
        var (session, key) = (await gateway.CreateAsync(new { compute = "local" }), NewKey());
        const string Body = """{"code":"echo $RANDOM$RANDOM; sleep 0.3"}""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostAsync($"/v2/sessions/{session}/run", key, Body)));

        Assert.Single((await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()))).Distinct());
        Assert.Equal(3, answers.Count(answer => answer.Headers.Contains(Replayed)));
        Assert.Equal(1, (await gateway.GetAsync($"/v2/sessions/{session}/runs")).GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public async Task A_stream_that_is_sent_again_joins_the_run_from_its_beginning()
    {
        var (session, key) = (await gateway.CreateAsync(new { compute = "local" }), NewKey());
        const string Body = """{"code":"for i in 1 2 3; do echo $i; sleep 0.1; done"}""";
        using var first = await PostAsync($"/v2/sessions/{session}/run/stream", key, Body, HttpCompletionOption.ResponseHeadersRead);
        var runId = first.Headers.GetValues("Cerver-Run-Id").Single();

        // The first caller loses its connection, the second one has everything.
        first.Dispose();
        using var again = await PostAsync($"/v2/sessions/{session}/run/stream", key, Body);

        var text = await again.Content.ReadAsStringAsync();
        Assert.Equal(runId, again.Headers.GetValues("Cerver-Run-Id").Single());
        Assert.StartsWith("id: 0\nevent: run\n", text, StringComparison.Ordinal);
        Assert.Contains("\"exit_code\":0", text, StringComparison.Ordinal);
        Assert.Contains("3\\n", text, StringComparison.Ordinal);
        Assert.Equal(1, (await gateway.GetAsync($"/v2/sessions/{session}/runs")).GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public async Task An_erasure_that_is_sent_again_is_answered_again()
    {
        var (session, key) = (await gateway.CreateTranscriptAsync(), NewKey());

        using var first = await SendAsync(HttpMethod.Delete, $"/v2/sessions/{session}?purge=1", key, "");
        using var again = await SendAsync(HttpMethod.Delete, $"/v2/sessions/{session}?purge=1", key, "");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, true), (first.StatusCode, again.StatusCode, again.Headers.Contains(Replayed)));
    }

    [Fact]
    public async Task Concurrent_duplicates_of_a_creation_with_compute_make_one_session_and_leave_one_sandbox()
    {
        var key = NewKey();
        var before = Sandboxes();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostAsync("/v2/sessions", key, """{"compute":"local"}""")));

        var texts = await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.StatusCode));
        var created = JsonSerializer.Deserialize<JsonElement>(Assert.Single(texts.Distinct()));
        Assert.Equal(created.GetProperty("sandbox_id").GetString(), Assert.Single(Sandboxes().Except(before)));
        using var ended = await gateway.Client.DeleteAsync($"/v2/sessions/{created.GetProperty("session_id")}");
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("key\twith a tab")]
    [InlineData(null)]
    public async Task A_key_that_cannot_be_one_is_refused_or_taken_for_none(string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/sessions") { Content = JsonContent.Create(new { session_type = "transcript" }) };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key ?? new string('k', 256));

        using var response = await gateway.Client.SendAsync(request);

        Assert.Equal(key is "" ? HttpStatusCode.Created : HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task An_append_that_expects_another_total_is_409_with_the_total()
    {
        var session = await gateway.CreateTranscriptAsync();
        using var first = await PostAsync($"/v2/sessions/{session}/transcript", NewKey(), """{"expected_total":0,"entries":[{"role":"user","content":"a"}]}""");

        using var late = await PostAsync($"/v2/sessions/{session}/transcript", NewKey(), """{"expected_total":0,"entries":[{"role":"user","content":"b"}]}""");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Conflict), (first.StatusCode, late.StatusCode));
        var refusal = await GatewayFixture.JsonAsync(late);
        Assert.Equal(("conflict", 1), (refusal.GetProperty("code").GetString(), refusal.GetProperty("transcriptTotal").GetInt32()));
    }

    /// <summary>The sandboxes that have files.</summary>
    private HashSet<string> Sandboxes() =>
        [.. Directory.GetDirectories(Path.Combine(gateway.DataDirectory, "sandboxes")).Select(path => Path.GetFileName(path))];

    private static string NewKey() => $"key-{Guid.NewGuid():n}";

    private Task<HttpResponseMessage> PostAsync(
        string path, string key, string body, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead) =>
        SendAsync(HttpMethod.Post, path, key, body, completion);

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string key, string body, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body.Length > 0)
        {
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        }

        request.Headers.Add("Idempotency-Key", key);
        return await gateway.Client.SendAsync(request, completion);
    }
}
