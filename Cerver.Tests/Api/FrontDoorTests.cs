using System.Net.Http.Headers;
using Cerver.Api;
using Cerver.Api.Accounts;
using Cerver.Errors;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Api;

/// <summary>Who is let in, from where, and what the gateway says of itself.</summary>
public sealed class FrontDoorTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly ApiHost _api = fixture.Api;

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Bearer", 401)]
    [InlineData("Bearer ", 401)]
    [InlineData("Bearer alice-secret-token-0124", 401)]
    [InlineData("Bearer ALICE-SECRET-TOKEN-0123", 401)]
    [InlineData("Bearer alice-secret-token-0123 x", 401)]
    [InlineData("Basic YWxpY2U6c2VjcmV0", 401)]
    [InlineData("Bearer alice-secret-token-0123", 200)]
    [InlineData("bearer alice-secret-token-0123", 200)]
    public async Task Only_a_known_token_is_let_in(string? authorization, int status)
    {
        using var client = new HttpClient { BaseAddress = _api.Address };
        if (authorization is not null)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        }

        using var answer = await ApiHost.SendAsync(client, HttpMethod.Get, "/v2/computes");

        Assert.Equal(status, answer.Status);
        if (status == 401)
        {
            Assert.Equal(("unauthorized", "Bearer"), (answer.Code, answer.Response.Headers.WwwAuthenticate.ToString()));
        }
    }

    [Fact]
    public async Task A_token_of_any_length_is_only_unknown()
    {
        using var client = new HttpClient { BaseAddress = _api.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", new string('x', 20_000));

        using var answer = await ApiHost.SendAsync(client, HttpMethod.Get, "/v2/computes");

        Assert.Equal(401, answer.Status);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/livez")]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/openapi/v1.json")]
    public async Task Anybody_may_ask_how_the_gateway_is(string path)
    {
        using var answer = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, path);

        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task A_gateway_whose_database_is_away_is_alive_and_not_ready()
    {
        await using var api = await ApiHost.StartAsync();
        api.Cluster.Recall.Obstacle = new CerverException(CerverError.StorageUnavailable, "The database is away.");

        using var live = await ApiHost.SendAsync(api.Nobody, HttpMethod.Get, "/livez");
        using var ready = await ApiHost.SendAsync(api.Nobody, HttpMethod.Get, "/readyz");

        Assert.Equal(200, live.Status);
        Assert.Equal((503, """{"status":"not_ready","reason":"The database is away."}"""), (ready.Status, ready.Text));
    }

    [Theory]
    [InlineData("/v2/sessions")]
    [InlineData("/nowhere")]
    public async Task Every_OPTIONS_call_is_allowed(string path)
    {
        using var answer = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Options, path);

        Assert.Equal(204, answer.Status);
        Assert.Equal("*", answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("authorization, content-type, idempotency-key, last-event-id, mcp-protocol-version, mcp-method, mcp-name", answer.Response.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.False(answer.Response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData("/livez", 200)]
    [InlineData("/v2/sessions", 401)]
    [InlineData("/nowhere", 404)]
    public async Task Pages_may_read_every_answer(string path, int status)
    {
        using var client = new HttpClient { BaseAddress = _api.Address };
        client.DefaultRequestHeaders.Add("Origin", "https://example.com");

        using var answer = await ApiHost.SendAsync(client, HttpMethod.Get, path);

        Assert.Equal(status, answer.Status);
        Assert.Equal("*", answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("Cerver-Run-Id", answer.Response.Headers.GetValues("Access-Control-Expose-Headers").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Alice", "0123456789abcdef", "Cerver:Auth:Tokens:Alice")]
    [InlineData("a/b", "0123456789abcdef", "Cerver:Auth:Tokens:a/b")]
    [InlineData("alice", "short", "Cerver:Auth:Tokens:alice")]
    [InlineData("alice", "0123456789 abcdef", "Cerver:Auth:Tokens:alice")]
    [InlineData("alice", "0123456789äbcdef", "Cerver:Auth:Tokens:alice")]
    public void A_setting_that_could_not_work_is_named_and_its_token_is_not(string accountId, string token, string named)
    {
        var result = new AuthOptionsValidator().Validate(name: null, new AuthOptions { Tokens = { [accountId] = token } });

        Assert.Contains(named, result.FailureMessage, StringComparison.Ordinal);
        Assert.DoesNotContain(token, result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_accounts_cannot_share_a_token()
    {
        const string Token = "0123456789abcdef";

        var result = new AuthOptionsValidator().Validate(name: null, new AuthOptions { Tokens = { ["a"] = Token, ["b"] = Token } });

        Assert.True(result.Failed);
    }

    [Fact]
    public async Task A_limit_out_of_range_stops_the_start()
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync(($"{ApiOptions.Section}:MaxBodyBytes", "5")));

        Assert.Contains(nameof(ApiOptions.MaxBodyBytes), failure.Message, StringComparison.Ordinal);
        Assert.Contains("between 1024 and 1073741824", failure.Message, StringComparison.Ordinal);
    }
}
