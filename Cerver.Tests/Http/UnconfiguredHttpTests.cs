using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Silo;

namespace Cerver.Tests.Http;

/// <summary>A gateway on a machine that can give no sandboxes.</summary>
public sealed class UnconfiguredHttpTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cerver-bare-").FullName;

    [Fact]
    public async Task Without_bubblewrap_sessions_get_a_report_instead_of_unisolated_code_and_transcripts_work()
    {
        await using var app = await Gateway.BuildAsync(
            [
            "--urls", "http://127.0.0.1:0", "--CERVER_DATA", _data, "--CERVER_API_TOKEN", GatewayFixture.Token,
            "--Cerver:Compute:Local:BubblewrapPath", "/nowhere/bwrap", "--Logging:LogLevel:Default", "Error"],
            CancellationToken.None);
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", GatewayFixture.Token);

        using var refused = await client.PostAsJsonAsync("/v2/sessions", new { compute = "local" });
        using var transcript = await client.PostAsJsonAsync("/v2/sessions", new { session_type = "transcript" });
        var computes = await client.GetFromJsonAsync<JsonElement>("/v2/computes");

        var body = await GatewayFixture.JsonAsync(refused);
        Assert.Equal((HttpStatusCode.Conflict, "no_compute"), (refused.StatusCode, body.GetProperty("code").GetString()));
        var reason = body.GetProperty("report").GetProperty("candidates")[0].GetProperty("reasons")[0].GetString();
        Assert.Contains("/nowhere/bwrap", reason, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, transcript.StatusCode);
        var local = computes.GetProperty("computes")[0];
        Assert.Equal(("unconfigured", reason), (local.GetProperty("status").GetString(), local.GetProperty("reason").GetString()));
        await app.StopAsync();
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);
}
