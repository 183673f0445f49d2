using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Cerver.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Api;

/// <summary>The front door on a port of its own, in front of a <see cref="FakeCluster"/>.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private const string Token = "alice-secret-token-0123";
    private const string OtherToken = "bob-secret-token-4567";

    private readonly WebApplication _app;

    private ApiHost(WebApplication app, FakeCluster cluster)
    {
        _app = app;
        Cluster = cluster;
        Address = new Uri(app.Urls.Single());
        Alice = Client(Token);
        Bob = Client(OtherToken);
        Nobody = new HttpClient { BaseAddress = Address };
    }

    public FakeCluster Cluster { get; }

    public IServiceProvider Services => _app.Services;

    public Uri Address { get; }

    public HttpClient Alice { get; }

    public HttpClient Bob { get; }

    public HttpClient Nobody { get; }

    /// <summary>The front door, not yet listening.</summary>
    /// <param name="cluster">What it is in front of.</param>
    /// <param name="clusterTime">
    /// The clock of a front door that is a process of its own; null for one that shares the process with its silo.
    /// </param>
    /// <param name="settings">Settings.</param>
    private static WebApplication Build(FakeCluster cluster, TimeProvider? clusterTime, (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Cerver:Auth:Tokens:alice"] = Token,
            ["Cerver:Auth:Tokens:bob"] = OtherToken,
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddSingleton(clusterTime ?? TimeProvider.System);
        builder.Services.AddCerverApi(builder.Configuration, isCluster: clusterTime is not null);
        builder.Services.AddSingleton(cluster.Client);
        return builder.Build().MapCerverApi();
    }

    public static Task<ApiHost> StartAsync(params (string Key, string Value)[] settings) => StartAsync(clusterTime: null, settings);

    /// <summary>A front door that is a process of its own.</summary>
    public static Task<ApiHost> StartInClusterAsync(TimeProvider time) => StartAsync(time, []);

    private static async Task<ApiHost> StartAsync(TimeProvider? clusterTime, (string Key, string Value)[] settings)
    {
        var cluster = new FakeCluster();
        var app = Build(cluster, clusterTime, settings);
        await app.StartAsync();
        return new ApiHost(app, cluster);
    }

    /// <summary>A new session of Alice's.</summary>
    public async Task<string> CreateSessionAsync(string body = """{"session_type":"transcript"}""")
    {
        using var answer = await SendAsync(HttpMethod.Post, "/v2/sessions", body);
        return answer.Json.GetProperty("session_id").GetString()!;
    }

    /// <summary>A new vault of Alice's.</summary>
    public async Task<string> CreateVaultAsync(string body = """{"project_id":"p1"}""")
    {
        using var answer = await SendAsync(HttpMethod.Post, "/v2/account/infisical", body);
        return answer.Json.GetProperty("id").GetString()!;
    }

    /// <summary>A new machine of Alice's.</summary>
    public async Task<string> RegisterMachineAsync()
    {
        using var answer = await SendAsync(HttpMethod.Post, "/v2/computes/register", $$"""{"compute_id":"comp_{{Guid.NewGuid():n}}"}""");
        return answer.Json.GetProperty("compute_id").GetString()!;
    }

    /// <summary>Calls as Alice.</summary>
    public Task<Answer> SendAsync(HttpMethod method, string path, string? json = null) =>
        SendAsync(Alice, method, path, json is null ? null : new StringContent(json, Encoding.UTF8, "application/json"));

    public static async Task<Answer> SendAsync(HttpClient client, HttpMethod method, string path, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        var response = await client.SendAsync(request);
        return new Answer(response, await response.Content.ReadAsByteArrayAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Alice.Dispose();
        Bob.Dispose();
        Nobody.Dispose();
        await _app.DisposeAsync();
    }

    private HttpClient Client(string token) => new()
    {
        BaseAddress = Address,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };
}

/// <summary>An answer that was read whole.</summary>
internal sealed class Answer(HttpResponseMessage response, byte[] body) : IDisposable
{
    private JsonDocument? _json;

    public HttpResponseMessage Response => response;

    public int Status => (int)response.StatusCode;

    public string Text => Encoding.UTF8.GetString(body);

    public JsonElement Json => (_json ??= JsonDocument.Parse(body)).RootElement;

    /// <summary>The word of a refusal.</summary>
    public string? Code => Json.GetProperty("code").GetString();

    /// <summary>The field at fault, or null.</summary>
    public string? Field => Json.TryGetProperty("field", out var name) ? name.GetString() : null;

    public void Dispose()
    {
        _json?.Dispose();
        response.Dispose();
    }
}
