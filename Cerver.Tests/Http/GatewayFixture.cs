using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Silo;
using Microsoft.AspNetCore.Builder;

namespace Cerver.Tests.Http;

/// <summary>The whole gateway as a user starts it: real Kestrel, real SQLite, real sandboxes; two accounts.</summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    internal const string Token = "test-token-of-the-first-account";
    internal const string OtherToken = "test-token-of-the-other-account";

    private readonly string _path = Directory.CreateTempSubdirectory("cerver-http-").FullName;
    private WebApplication? _app;

    /// <summary>Calls as the first account.</summary>
    internal HttpClient Client { get; private set; } = new();

    /// <summary>Calls as the other account.</summary>
    internal HttpClient Other { get; private set; } = new();

    /// <summary>Calls as nobody.</summary>
    internal HttpClient Stranger { get; private set; } = new();

    internal Uri Address { get; private set; } = new("http://127.0.0.1");

    internal string DataDirectory => _path;

    public Task InitializeAsync() => StartAsync();

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_path, recursive: true);
    }

    /// <summary>Stops the gateway and starts it again over the same data.</summary>
    internal async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Makes a session as the first account and gives its id.</summary>
    internal async Task<string> CreateAsync(object? body = null)
    {
        var created = await Client.PostAsJsonAsync("/v2/sessions", body ?? new { });
        Assert.Equal(System.Net.HttpStatusCode.Created, created.StatusCode);
        return (await JsonAsync(created)).GetProperty("session_id").GetString()!;
    }

    /// <summary>Makes a session that only holds a transcript.</summary>
    internal Task<string> CreateTranscriptAsync() => CreateAsync(new { session_type = "transcript" });

    internal static async Task<JsonElement> JsonAsync(HttpResponseMessage response) => await response.Content.ReadFromJsonAsync<JsonElement>();

    internal async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        return await JsonAsync(response);
    }

    private async Task StartAsync()
    {
        _app = await Gateway.BuildAsync(
            [
            "--urls", "http://127.0.0.1:0", "--CERVER_DATA", _path, "--CERVER_API_TOKEN", Token, "--Cerver:Auth:Tokens:other", OtherToken,
            "--Logging:LogLevel:Default", "Warning"],
            CancellationToken.None);
        await _app.StartAsync();
        Address = new Uri(_app.Urls.Single());
        (Client, Other, Stranger) = (NewClient(Token), NewClient(OtherToken), NewClient(token: null));
    }

    private async Task StopAsync()
    {
        Client.Dispose();
        Other.Dispose();
        Stranger.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
    }

    private HttpClient NewClient(string? token) => new()
    {
        BaseAddress = Address,
        DefaultRequestHeaders = { Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token) },
    };
}

/// <summary>The tests that share one gateway.</summary>
[CollectionDefinition(nameof(GatewayFixture))]
public sealed class GatewayCollection : ICollectionFixture<GatewayFixture>;
