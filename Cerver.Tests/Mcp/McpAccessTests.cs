using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Cerver.Api.Mcp;
using Cerver.Tests.Api;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Mcp;

public sealed class McpAccessTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("Bearer not-a-token-of-anybody")]
    public async Task Nobody_without_a_token_gets_in(string? authorization)
    {
        await using var api = await ApiHost.StartAsync();
        using var answer = await SendAsync(api.Nobody, request => request.Headers.TryAddWithoutValidation("Authorization", authorization));

        Assert.Equal((401, "unauthorized"), (answer.Status, answer.Code));
        Assert.Equal("Bearer", answer.Response.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Theory]
    [InlineData("http://evil.example", 403)]
    [InlineData("http://127.0.0.1.evil.example", 403)]
    [InlineData("null", 403)]
    [InlineData("http://localhost:6274", 200)]
    [InlineData("http://127.0.0.1:3000", 200)]
    [InlineData("http://[::1]:3000", 200)]
    public async Task A_page_of_another_host_is_refused(string origin, int status)
    {
        await using var api = await ApiHost.StartAsync();
        using var answer = await SendAsync(api.Alice, request => request.Headers.Add("Origin", origin));

        Assert.Equal(status, answer.Status);
        Assert.True(status == 200 || answer.Code == "forbidden");
    }

    [Theory]
    [InlineData("evil.example", 403)]
    [InlineData("evil.example:8080", 403)]
    [InlineData("localhost", 200)]
    [InlineData("[::1]:8080", 200)]
    public async Task A_gateway_on_loopback_goes_by_no_other_name(string host, int status)
    {
        await using var api = await ApiHost.StartAsync();
        using var answer = await SendAsync(api.Alice, request => request.Headers.Host = host);

        // A page of that name would have the same origin.
        using var page = await SendAsync(api.Alice, request =>
        {
            request.Headers.Host = host;
            request.Headers.Add("Origin", $"http://{host}");
        });
        Assert.Equal((status, status), (answer.Status, page.Status));
    }

    [Theory]
    [InlineData("mcp.example.com; other.example.com", "MCP.example.com", "https://other.example.com", 200)]
    [InlineData("mcp.example.com", "other.example.com", null, 403)]
    [InlineData("mcp.example.com", "mcp.example.com", "https://other.example.com", 403)]
    [InlineData("*", "any.example.com", "https://other.example.com", 200)]
    public async Task Names_that_the_operator_allows_are_let_in(string allowed, string host, string? origin, int status)
    {
        await using var api = await ApiHost.StartAsync(("Cerver:Mcp:AllowedHosts", allowed));
        using var answer = await SendAsync(api.Alice, request =>
        {
            request.Headers.Host = host;
            request.Headers.TryAddWithoutValidation("Origin", origin);
        });

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task The_rest_of_the_api_does_not_mind()
    {
        await using var api = await ApiHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/sessions") { Headers = { Host = "evil.example" } };
        request.Headers.Add("Origin", "http://evil.example");
        using var answer = await api.Alice.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("http://mcp.example.com")]
    [InlineData("mcp.example.com:8080")]
    [InlineData("mcp example.com")]
    public void A_name_that_nobody_can_have_stops_the_start(string allowed)
    {
        var result = new McpOptionsValidator().Validate(Options.DefaultName, new McpOptions { AllowedHosts = allowed });

        Assert.True(result.Failed);
        Assert.StartsWith($"AllowedHosts: '{allowed}'", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_large_is_refused()
    {
        await using var api = await ApiHost.StartAsync(("Cerver:Api:MaxBodyBytes", "65536"));
        using var answer = await SendAsync(api.Alice, static _ => { }, new string(' ', 70_000));

        Assert.Equal((413, "payload_too_large"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task There_is_nothing_to_get_and_nothing_to_delete()
    {
        await using var api = await ApiHost.StartAsync();
        using var get = await api.SendAsync(HttpMethod.Get, "/mcp");
        using var delete = await api.SendAsync(HttpMethod.Delete, "/mcp");

        Assert.Equal((405, 405), (get.Status, delete.Status));
    }

    private static Task<Answer> SendAsync(HttpClient client, Action<HttpRequestMessage> change, string padding = "")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/mcp")
        {
            Content = new StringContent($$"""{"jsonrpc": "2.0", "id": 1, "method": "ping"{{padding}}}""", Encoding.UTF8, "application/json"),
            Headers = { Accept = { new MediaTypeWithQualityHeaderValue("application/json"), new MediaTypeWithQualityHeaderValue("text/event-stream") } },
        };
        change(request);
        return SendAsync(client, request);
    }

    private static async Task<Answer> SendAsync(HttpClient client, HttpRequestMessage request)
    {
        using (request)
        {
            var response = await client.SendAsync(request);
            return new Answer(response, await response.Content.ReadAsByteArrayAsync());
        }
    }
}
