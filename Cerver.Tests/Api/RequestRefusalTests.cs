using System.Net.Http.Headers;
using System.Text;

namespace Cerver.Tests.Api;

public sealed class RequestRefusalTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly ApiHost _api = fixture.Api;
    private readonly int _grainsBefore = fixture.Api.Cluster.GrainCount;

    [Theory]
    [InlineData("", null)]
    [InlineData("null", null)]
    [InlineData("[]", null)]
    [InlineData("\"entries\"", null)]
    [InlineData("{", null)]
    [InlineData("{\"entries\":[]} x", null)]
    [InlineData("{}", "entries")]
    [InlineData("""{"entries":null}""", "entries")]
    [InlineData("""{"entries":{}}""", "entries")]
    [InlineData("""{"entries":[null]}""", "entries[0]")]
    [InlineData("""{"entries":["hi"]}""", "entries[0]")]
    [InlineData("""{"entries":[{"role":"user","content":"hi"},{"role":"user","content":{}}]}""", "entries[1].content")]
    [InlineData("""{"entries":[{"role":"user","content":1}]}""", "entries[0].content")]
    [InlineData("""{"entries":[{"role":"user","content":""}]}""", "entries[0].content")]
    [InlineData("""{"entries":[{"role":"user","content":null}]}""", "entries[0].content")]
    [InlineData("""{"entries":[{"role":"user"}]}""", "entries[0].content")]
    [InlineData("""{"entries":[{"role":"king","content":"hi"}]}""", "entries[0].role")]
    [InlineData("""{"entries":[{"content":"hi"}]}""", "entries[0].role")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","kind":""}]}""", "entries[0].kind")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","kind":7}]}""", "entries[0].kind")]
    [InlineData("""{"entries":[{"role":"user","content":"a\u0000b"}]}""", "entries[0].content")]
    [InlineData("""{"entries":[{"role":"user","content":"\ud800"}]}""", "entries[0].content")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","content":"ho"}]}""", "entries[0].content")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","at":"yesterday"}]}""", "entries[0].at")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","at":"2026-05-01"}]}""", "entries[0].at")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","at":"2026-05-01T12:00:00"}]}""", "entries[0].at")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","at":"0001-01-01T00:00:00+14:00"}]}""", "entries[0].at")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","at":1}]}""", "entries[0].at")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","is_error":"no"}]}""", "entries[0].is_error")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","tool_input":"{}"}]}""", "entries[0].tool_input")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","tool_input":{"a":1,"a":2}}]}""", "entries[0].tool_input")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","tool_input":{"a":[{"b":"\u0000"}]}}]}""", "entries[0].tool_input")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","tool_input":{"\udc00":1}}]}""", "entries[0].tool_input")]
    [InlineData("""{"entries":[{"role":"user","content":"hi","tool_input":{"a":1e999}}]}""", "entries[0].tool_input")]
    public async Task A_bad_append_is_refused_with_the_field_at_fault(string body, string? field)
    {
        var session = await _api.CreateSessionAsync();

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{session}/transcript", body);

        Assert.Equal((400, "invalid_request", field), (answer.Status, answer.Code, answer.Field));
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [InlineData("""{"session_name":7}""", "session_name")]
    [InlineData("""{"session_name":"a\u0000"}""", "session_name")]
    [InlineData("""{"session_name":"a","session_name":"b"}""", "session_name")]
    [InlineData("""{"harness":7}""", "harness")]
    [InlineData("""{"harness":{}}""", "harness")]
    [InlineData("""{"harness":{"type":{}}}""", "harness")]
    [InlineData("""{"compute":"moon"}""", "compute")]
    [InlineData("""{"compute":""}""", "compute")]
    [InlineData("""{"compute":"comp_"}""", "compute")]
    [InlineData("""{"compute":"comp_a/b"}""", "compute")]
    [InlineData("""{"compute":{}}""", "compute")]
    [InlineData("""{"compute":[]}""", "compute")]
    [InlineData("""{"compute":{"provider":"moon"}}""", "compute")]
    [InlineData("""{"compute":{"provider":["local"]}}""", "compute")]
    [InlineData("""{"target_compute_id":"moon"}""", "target_compute_id")]
    [InlineData("""{"policy":7}""", "policy")]
    [InlineData("""{"policy":{"pinned_provider":"moon"}}""", "policy.pinned_provider")]
    [InlineData("""{"policy":{"allowed_providers":["local","moon"]}}""", "policy.allowed_providers[1]")]
    [InlineData("""{"policy":{"allowed_providers":[null]}}""", "policy.allowed_providers[0]")]
    [InlineData("""{"policy":{"allowed_providers":"local"}}""", "policy.allowed_providers")]
    [InlineData("""{"requirements":[]}""", "requirements")]
    [InlineData("""{"metadata":"x"}""", "metadata")]
    [InlineData("""{"metadata":{"a":"\ud800\ud800"}}""", "metadata")]
    [InlineData("""{"parent_session_id":"x"}""", "parent_session_id")]
    public async Task A_bad_create_is_refused_with_the_field_at_fault(string body, string field)
    {
        using var answer = await _api.SendAsync(HttpMethod.Post, "/v2/sessions", body);

        Assert.Equal((400, "invalid_request", field), (answer.Status, answer.Code, answer.Field));
    }

    [Theory]
    [InlineData("run", "{}", "code")]
    [InlineData("run", """{"code":""}""", "code")]
    [InlineData("run", """{"code":["ls"]}""", "code")]
    [InlineData("run", """{"code":"ls","timeout":0.5}""", "timeout")]
    [InlineData("run", """{"code":"ls","timeout":-1}""", "timeout")]
    [InlineData("run", """{"code":"ls","timeout":86401}""", "timeout")]
    [InlineData("run", """{"code":"ls","timeout":1e999}""", "timeout")]
    [InlineData("run", """{"code":"ls","timeout":"5"}""", "timeout")]
    [InlineData("run", """{"code":"ls","runtime":"ruby"}""", "runtime")]
    [InlineData("run", """{"code":"ls","envs":[]}""", "envs")]
    [InlineData("run", """{"code":"ls","envs":{"A":1}}""", "envs.A")]
    [InlineData("run", """{"code":"ls","envs":{"A":null}}""", "envs")]
    [InlineData("run", """{"code":"ls","env":{"A=B":"x"}}""", "env")]
    [InlineData("run", """{"code":"ls","env":{"":"x"}}""", "env")]
    [InlineData("run", """{"code":"ls","env":{"A\u0000":"x"}}""", "env")]
    [InlineData("run", """{"code":"ls","env":{"A":"x\u0000"}}""", "env.A")]
    [InlineData("input", "{}", "content")]
    [InlineData("input", """{"content":""}""", "content")]
    [InlineData("input", """{"content":"hi","role":"assistant"}""", "role")]
    [InlineData("resume", """{"compute":"none"}""", "compute")]
    [InlineData("resume", """{"compute":7}""", "compute")]
    [InlineData("compute", "{}", "compute")]
    [InlineData("change-compute", "{}", "compute_priority")]
    [InlineData("change-compute", """{"compute_priority":[]}""", "compute_priority")]
    [InlineData("change-compute", """{"compute_priority":["local",null]}""", "compute_priority[1]")]
    public async Task A_bad_call_on_a_session_is_refused_with_the_field_at_fault(string call, string body, string field)
    {
        var session = await _api.CreateSessionAsync();

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{session}/{call}", body);

        Assert.Equal((400, "invalid_request"), (answer.Status, answer.Code));
        Assert.StartsWith(field, answer.Field, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/sessions?limit=0", "limit")]
    [InlineData("/v2/sessions?limit=201", "limit")]
    [InlineData("/v2/sessions?limit=-1", "limit")]
    [InlineData("/v2/sessions?limit=ten", "limit")]
    [InlineData("/v2/sessions?limit=", "limit")]
    [InlineData("/v2/sessions?limit=%2010", "limit")]
    [InlineData("/v2/sessions?limit=99999999999999999999999", "limit")]
    [InlineData("/v2/sessions?limit=1&limit=2", "limit")]
    [InlineData("/v2/sessions?status=bored", "status")]
    [InlineData("/v2/sessions?status=idle&status=idle", "status")]
    [InlineData("/v2/sessions?q=a%00b", "q")]
    [InlineData("/v2/sessions?cursor=nonsense", "cursor")]
    [InlineData("/v2/sessions/{0}?since=-1", "since")]
    [InlineData("/v2/sessions/{0}?since=1.5", "since")]
    [InlineData("/v2/sessions/{0}?tail=-1", "tail")]
    [InlineData("/v2/sessions/{0}?tail=99999999999999999999999", "tail")]
    [InlineData("/v2/sessions/{0}?tail=1&since=1", "tail")]
    [InlineData("/v2/sessions/{0}?full=maybe", "full")]
    [InlineData("/v2/sessions/{0}/runs?cursor=run_1", "cursor")]
    [InlineData("/v2/sessions/{0}/runs?limit=0", "limit")]
    [InlineData("/v2/sessions/{0}/runs/run_01980000000070008000000000000002/stream?after=-1", "after")]
    [InlineData("/v2/sessions/{0}/runs/run_01980000000070008000000000000002/stream?last_event_id=x", "last_event_id")]
    public async Task A_bad_query_is_refused_with_the_parameter_at_fault(string path, string parameter)
    {
        var session = await _api.CreateSessionAsync();

        using var answer = await _api.SendAsync(HttpMethod.Get, path.Replace("{0}", session, StringComparison.Ordinal));

        Assert.Equal((400, "invalid_request", parameter), (answer.Status, answer.Code, answer.Field));
    }

    [Theory]
    [InlineData("/v2/sessions/x")]
    [InlineData("/v2/sessions/%FF%00")]
    [InlineData("/v2/sessions/..%2F..%2Fetc")]
    [InlineData("/v2/sessions/%F0%9F%98%80")]
    [InlineData("/v2/sessions/01980000-0000-7000-8000-00000000000A")]
    [InlineData("/v2/sessions/x/runs")]
    [InlineData("/v2/sessions/x/runs/y")]
    [InlineData("/v2/sessions/01980000-0000-7000-8000-000000000001/runs/run_1")]
    [InlineData("/v2/sessions/01980000-0000-7000-8000-000000000001/runs/run_1/stream")]
    [InlineData("/v2/sessions/x/metrics")]
    [InlineData("/v2/nothing")]
    [InlineData("/nothing")]
    public async Task An_id_of_nonsense_is_404_and_reaches_no_grain(string path)
    {
        using var answer = await _api.SendAsync(HttpMethod.Get, path);

        // The server itself answers 400 to a path that no server may take.
        Assert.True(answer.Status == 404 || path.Contains("%00", StringComparison.Ordinal));
        Assert.Equal(_grainsBefore, _api.Cluster.GrainCount);
    }

    [Theory]
    [InlineData("run", """{"code":"ls"}""")]
    [InlineData("run/stream", """{"code":"ls"}""")]
    [InlineData("transcript", """{"entries":[{"role":"user","content":"hi"}]}""")]
    [InlineData("input", """{"content":"hi"}""")]
    [InlineData("resume", "{}")]
    [InlineData("pause", null)]
    [InlineData("compute", """{"compute":null}""")]
    [InlineData("change-compute", """{"compute_priority":["local"]}""")]
    public async Task A_write_to_an_id_of_nonsense_is_404_and_reaches_no_grain(string call, string? body)
    {
        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/nonsense/{call}", body);

        Assert.Equal((404, "not_found"), (answer.Status, answer.Code));
        Assert.Equal(_grainsBefore, _api.Cluster.GrainCount);
    }

    [Fact]
    public async Task Another_accounts_session_does_not_exist()
    {
        var session = await _api.CreateSessionAsync();

        using var answer = await ApiHost.SendAsync(_api.Bob, HttpMethod.Get, $"/v2/sessions/{session}");

        Assert.Equal((404, "not_found"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("PUT", "/v2/sessions", 405)]
    [InlineData("DELETE", "/v2/computes", 405)]
    [InlineData("HEAD", "/v2/sessions", 405)]
    [InlineData("HEAD", "/", 200)]
    [InlineData("HEAD", "/readyz", 200)]
    [InlineData("BREW", "/v2/sessions", 405)]
    public async Task A_method_that_is_not_taken_is_405(string method, string path, int status)
    {
        using var answer = await _api.SendAsync(new HttpMethod(method), path);

        Assert.Equal(status, answer.Status);
        if (status == 405)
        {
            Assert.NotEmpty(answer.Response.Content.Headers.Allow);
            Assert.True(string.Equals(method, "HEAD", StringComparison.Ordinal) || string.Equals(answer.Code, "invalid_request", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("text/plain", 415)]
    [InlineData("application/x-www-form-urlencoded", 415)]
    [InlineData(null, 415)]
    [InlineData("application/json; charset=utf-8", 201)]
    [InlineData("application/vnd.cerver+json", 201)]
    public async Task A_body_must_be_declared_as_JSON(string? contentType, int status)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);

        using var answer = await ApiHost.SendAsync(_api.Alice, HttpMethod.Post, "/v2/sessions", content);

        Assert.Equal(status, answer.Status);
        Assert.True(status == 201 || string.Equals(answer.Code, "invalid_request", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_can_be_created_without_a_body()
    {
        using var none = await _api.SendAsync(HttpMethod.Post, "/v2/sessions");
        using var empty = await ApiHost.SendAsync(_api.Alice, HttpMethod.Post, "/v2/sessions", new StringContent(string.Empty, mediaType: MediaTypeHeaderValue.Parse("application/x-www-form-urlencoded")));
        using var nothing = await _api.SendAsync(HttpMethod.Post, "/v2/sessions", "null");

        Assert.Equal((201, 201, 201), (none.Status, empty.Status, nothing.Status));
    }

    [Fact]
    public async Task A_body_of_invalid_UTF8_is_refused()
    {
        var session = await _api.CreateSessionAsync();
        using var content = new ByteArrayContent([.. """{"entries":[{"role":"user","content":"a"""u8, 0xC3, 0x28, .. "\"}]}"u8]);
        content.Headers.ContentType = new("application/json");

        using var answer = await ApiHost.SendAsync(_api.Alice, HttpMethod.Post, $"/v2/sessions/{session}/transcript", content);

        Assert.Equal((400, "entries[0].content"), (answer.Status, answer.Field));
    }

    [Theory]
    [InlineData(60, 201)]
    [InlineData(64, 400)]
    [InlineData(10_000, 400)]
    public async Task A_body_nested_too_deep_is_refused(int depth, int status)
    {
        var body = "{\"metadata\":{\"a\":" + new string('[', depth) + new string(']', depth) + "}}";

        using var answer = await _api.SendAsync(HttpMethod.Post, "/v2/sessions", body);

        Assert.Equal(status, answer.Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_413_and_the_client_gets_to_read_it(bool knowsLength)
    {
        var json = Encoding.UTF8.GetBytes($$"""{"session_name":"{{new string('a', 10 * 1_024 * 1_024)}}"}""");
        using HttpContent content = knowsLength ? new ByteArrayContent(json) : new StreamContent(new UnseekableStream(json));
        content.Headers.ContentType = new("application/json");

        using var answer = await ApiHost.SendAsync(_api.Alice, HttpMethod.Post, "/v2/sessions", content);

        Assert.Equal((413, "payload_too_large"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task The_name_of_a_field_is_not_handed_back_at_any_length()
    {
        var session = await _api.CreateSessionAsync();
        var body = "{\"code\":\"ls\",\"envs\":{\"" + new string('A', 50_000) + "\":1}}";

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{session}/run", body);

        Assert.Equal(400, answer.Status);
        Assert.InRange(answer.Text.Length, 1, 1_000);
    }

    /// <summary>A body whose length is not known before.</summary>
    private sealed class UnseekableStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
