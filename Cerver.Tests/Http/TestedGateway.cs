using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Bench.Gateways;
using Cerver.Tests.Storage;
using Microsoft.AspNetCore.Builder;
using Gateway = Cerver.Silo.Gateway;

namespace Cerver.Tests.Http;

/// <summary>The whole gateway behind real HTTP, over whichever database, with an account of its own.</summary>
internal sealed class TestedGateway : IAsyncDisposable
{
    private const string Token = "test-token-of-one-who-tests";

    private readonly WebApplication _app;
    private readonly string _path;
    private readonly PostgresTestDatabase? _database;

    private TestedGateway(WebApplication app, string path, PostgresTestDatabase? database)
    {
        _app = app;
        _path = path;
        _database = database;
    }

    /// <summary>Starts a gateway over a new database and waits until it is up.</summary>
    /// <param name="tested">The database.</param>
    /// <param name="settings">More settings; they win.</param>
    public static async Task<TestedGateway> StartAsync(TestedDatabase tested, params string[] settings)
    {
        var path = Directory.CreateTempSubdirectory("cerver-tested-").FullName;
        var database = tested == TestedDatabase.Postgres ? await PostgresTestDatabase.CreateAsync() : null;
        var app = await Gateway.BuildAsync(
            [
                "--urls", "http://127.0.0.1:0", "--CERVER_DATA", path, "--CERVER_API_TOKEN", Token, "--Cerver:Compute:Local:Enabled", "false",
                "--Logging:LogLevel:Default", "Warning", .. database is null ? [] : SettingsOf(database), .. settings,
            ],
            CancellationToken.None);
        await app.StartAsync();
        return new TestedGateway(app, path, database);
    }

    /// <summary>The database, or null when it is SQLite in the data directory.</summary>
    public PostgresTestDatabase? Database => _database;

    /// <summary>The data directory.</summary>
    public string DataPath => _path;

    /// <summary>What the gateway is made of.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>A client of its own connections.</summary>
    public HttpClient NewClient() => new()
    {
        BaseAddress = Address,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Token) },
    };

    /// <summary>Makes a session that only holds a transcript.</summary>
    public static async Task<string> CreateAsync(HttpClient client)
    {
        using var created = await client.PostAsJsonAsync("/v2/sessions", new { session_type = "transcript" });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        return (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;
    }

    /// <summary>Appends an entry, which is durable afterwards.</summary>
    public static async Task AppendAsync(HttpClient client, string sessionId, string content)
    {
        using var appended = await client.PostAsJsonAsync($"/v2/sessions/{sessionId}/transcript", new { entries = new[] { new { role = "user", content } } });
        Assert.True(appended.IsSuccessStatusCode, await appended.Content.ReadAsStringAsync());
    }

    /// <summary>Stops the gateway; its data stay until it is disposed of.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        Directory.Delete(_path, recursive: true);
    }

    private static string[] SettingsOf(PostgresTestDatabase database)
    {
        var ports = FreePort.Find(count: 2);
        return
        [
            "--Cerver:Storage", "Postgres", "--ConnectionStrings:Cerver", database.ConnectionString, "--Cerver:Cluster:AdvertisedAddress", "127.0.0.1",
            "--Cerver:Cluster:SiloPort", $"{ports[0]}", "--Cerver:Cluster:GatewayPort", $"{ports[1]}",
        ];
    }
}
