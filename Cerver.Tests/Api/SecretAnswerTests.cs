using Cerver.Api.Secrets;

namespace Cerver.Tests.Api;

public sealed class SecretAnswerTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly ApiHost _api = fixture.Api;

    [Fact]
    public async Task A_secret_is_answered_with_its_value_and_stored_nowhere_on_the_way()
    {
        using var answer = await _api.SendAsync(HttpMethod.Get, $"/v2/secrets/{FakeSecrets.Name}");

        Assert.Equal((200, """{"name":"DEPLOY_TOKEN","value":"s3cret-välue \"q\"","source":"env"}"""), (answer.Status, answer.Text));
        Assert.Equal("no-store", answer.Response.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task The_list_has_names_and_no_values()
    {
        using var answer = await _api.SendAsync(HttpMethod.Get, "/v2/secrets");

        Assert.Equal((200, """{"secrets":[{"name":"DEPLOY_TOKEN","source":"env"}]}"""), (answer.Status, answer.Text));
        Assert.Equal("no-store", answer.Response.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task The_audit_says_who_asked_and_is_the_accounts_own()
    {
        using var audit = await _api.SendAsync(HttpMethod.Get, "/v2/secrets/audit?limit=1");
        using var others = await ApiHost.SendAsync(_api.Bob, HttpMethod.Get, "/v2/secrets/audit");

        var cursor = audit.Json.GetProperty("next_cursor").GetString();
        using var rest = await _api.SendAsync(HttpMethod.Get, $"/v2/secrets/audit?cursor={cursor}");
        Assert.Equal(
            $$"""{"accesses":[{"at":"2026-05-01T12:00:00Z","key":"ck_123…","session_id":null,"run_id":null,"name":"DEPLOY_TOKEN","source":"env","outcome":"fetched"}],"next_cursor":"{{cursor}}"}""",
            audit.Text);
        Assert.Equal(FakeSecrets.Place, SecretAccessCursorText.Parse(cursor!, "cursor"));
        Assert.Equal("""{"accesses":[],"next_cursor":null}""", rest.Text);
        Assert.Equal("no-store", audit.Response.Headers.CacheControl!.ToString());
        Assert.Equal("""{"accesses":[],"next_cursor":null}""", others.Text);
    }

    [Theory]
    [InlineData("/v2/secrets/audit?limit=201", 400, "invalid_request", "limit")]
    [InlineData("/v2/secrets/audit?cursor=x", 400, "invalid_request", "cursor")]
    [InlineData("/v2/secrets/audit?cursor=7", 400, "invalid_request", "cursor")]
    [InlineData("/v2/secrets/audit?since=yesterday", 400, "invalid_request", "since")]
    [InlineData("/v2/secrets/OTHER", 404, "secret_not_found", null)]
    [InlineData("/v2/secrets/DEPLOY_TOKEN?session_id=" + FakeSecrets.EndedSession, 409, "session_ended", "session_id")]
    [InlineData("/v2/secrets/DEPLOY_TOKEN?session_id=a&session_id=b", 400, "invalid_request", "session_id")]
    public async Task What_cannot_be_fetched_is_refused_by_name(string path, int status, string code, string? field)
    {
        using var answer = await _api.SendAsync(HttpMethod.Get, path);

        Assert.Equal((status, code, field), (answer.Status, answer.Code, answer.Field));
    }

    [Fact]
    public async Task Another_account_and_nobody_get_nothing()
    {
        using var fetched = await ApiHost.SendAsync(_api.Bob, HttpMethod.Get, $"/v2/secrets/{FakeSecrets.Name}");
        using var listed = await ApiHost.SendAsync(_api.Bob, HttpMethod.Get, "/v2/secrets");
        using var stranger = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, $"/v2/secrets/{FakeSecrets.Name}");

        Assert.Equal((404, "secret_not_found", """{"secrets":[]}""", 401), (fetched.Status, fetched.Code, listed.Text, stranger.Status));
    }
}
