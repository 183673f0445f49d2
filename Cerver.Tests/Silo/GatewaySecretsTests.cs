using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Tests.Secrets.Infisical;
using Cerver.Tests.Secrets.Vault;

namespace Cerver.Tests.Silo;

/// <summary>A gateway that is started with backends of secrets.</summary>
public sealed class GatewaySecretsTests
{
    [Fact]
    public async Task Secrets_come_from_the_backends_of_the_settings_and_show_nowhere()
    {
        await using var infisical = await FakeInfisical.StartAsync();
        await using var vault = await FakeVault.StartAsync();
        infisical.Secrets[("/", "BOTH")] = "value-of-infisical-that-nobody-sees";
        vault.Documents["BOTH"] = """{"value": "value-of-vault-that-nobody-sees"}""";
        vault.Documents["VAULTED"] = """{"value": "value-of-vault-that-nobody-sees"}""";
        var data = Directory.CreateTempSubdirectory("cerver-secrets-").FullName;
        await using var gateway = await GatewayProcess.StartAsync(
            data,
            $"--Cerver:Secrets:Infisical:SiteUrl={infisical.Site}",
            $"--Cerver:Secrets:Infisical:ProjectId={FakeInfisical.ProjectId}",
            $"--Cerver:Secrets:Infisical:ClientId={FakeInfisical.ClientId}",
            $"--Cerver:Secrets:Infisical:ClientSecret={FakeInfisical.ClientSecret}",
            $"--Cerver:Secrets:Vault:Address={vault.Address}",
            $"--Cerver:Secrets:Vault:Token={FakeVault.Token}");

        var both = await gateway.Client.GetStringAsync("/v2/secrets/BOTH");
        var vaulted = await gateway.Client.GetStringAsync("/v2/secrets/VAULTED");
        var listed = await gateway.Client.GetStringAsync("/v2/secrets");
        await infisical.Backend.StopAsync();
        using var refused = await gateway.Client.GetAsync("/v2/secrets/VAULTED");
        var refusal = await refused.Content.ReadAsStringAsync();
        await gateway.StopAsync();

        Assert.Equal("""{"name":"BOTH","value":"value-of-infisical-that-nobody-sees","source":"infisical"}""", both);
        Assert.Equal("""{"name":"VAULTED","value":"value-of-vault-that-nobody-sees","source":"vault"}""", vaulted);
        Assert.Contains("""{"name":"BOTH","source":"infisical"}""", listed, StringComparison.Ordinal);
        Assert.Contains("""{"name":"VAULTED","source":"vault"}""", listed, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.BadGateway, "secret_backend_unavailable"), (refused.StatusCode, JsonDocument.Parse(refusal).RootElement.GetProperty("code").GetString()));
        Assert.Contains(infisical.Site["http://".Length..], refusal, StringComparison.Ordinal);
        Assert.Contains("Infisical at", gateway.Output, StringComparison.Ordinal);
        Assert.All([listed, refusal, gateway.Output], static text => Assert.DoesNotContain("nobody-sees", text, StringComparison.Ordinal));
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task An_accounts_own_project_is_checked_fetched_from_and_redacted_also_after_a_start()
    {
        await using var infisical = await FakeInfisical.StartAsync();
        infisical.Secrets[("/", "OWN")] = "value-of-infisical-that-nobody-sees";
        var data = Directory.CreateTempSubdirectory("cerver-secrets-").FullName;
        var site = $"--Cerver:Secrets:Infisical:Sites:0={infisical.Site}";
        await using var gateway = await GatewayProcess.StartAsync(data, site);
        var fields = new { label = "mine", project_id = FakeInfisical.ProjectId, environment = "prod", client_id = FakeInfisical.ClientId, client_secret = "not-the-secret-that-nobody-sees" };

        var made = await SendAsync(gateway, HttpMethod.Post, "/v2/account/infisical", fields);
        var vault = $"/v2/account/infisical/{made.GetProperty("id").GetString()}";
        var wrong = await SendAsync(gateway, HttpMethod.Post, $"{vault}/verify");
        await SendAsync(gateway, HttpMethod.Patch, vault, new { client_secret = FakeInfisical.ClientSecret });
        var right = await SendAsync(gateway, HttpMethod.Post, $"{vault}/verify");
        var session = await gateway.CreateAsync();
        var fetched = await SendAsync(gateway, HttpMethod.Get, $"/v2/secrets/OWN?session_id={session}");
        await gateway.StopAsync();
        await using var again = await GatewayProcess.StartAsync(data, site);
        await SendAsync(again, HttpMethod.Post, $"/v2/sessions/{session}/transcript", new { entries = new[] { new { role = "user", content = "it was value-of-infisical-that-nobody-sees" } } });
        var transcript = await again.Client.GetStringAsync($"/v2/sessions/{session}/export");
        var audit = await again.Client.GetStringAsync("/v2/secrets/audit");
        await infisical.Backend.StopAsync();
        var kept = await SendAsync(again, HttpMethod.Get, "/v2/account/infisical");
        await again.StopAsync();

        Assert.Contains("does not accept", wrong.GetProperty("last_verify_error").GetString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal((JsonValueKind.Null, JsonValueKind.String), (right.GetProperty("last_verify_error").ValueKind, right.GetProperty("last_verified_at").ValueKind));
        Assert.Equal(("value-of-infisical-that-nobody-sees", "infisical"), (fetched.GetProperty("value").GetString(), fetched.GetProperty("source").GetString()));
        Assert.Contains("it was [secret:OWN]", transcript, StringComparison.Ordinal);
        Assert.Contains("\"name\":\"OWN\",\"source\":\"infisical\",\"outcome\":\"fetched\"", audit, StringComparison.Ordinal);
        Assert.Equal("mine", Assert.Single(kept.GetProperty("vaults").EnumerateArray()).GetProperty("label").GetString());
        Assert.All(
            [made.GetRawText(), wrong.GetRawText(), right.GetRawText(), kept.GetRawText(), transcript, audit, gateway.Output, again.Output],
            static text => Assert.DoesNotContain("nobody-sees", text, StringComparison.Ordinal));
        Directory.Delete(data, recursive: true);
    }

    private static async Task<JsonElement> SendAsync(GatewayProcess gateway, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await gateway.Client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
