using System.Net;
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
}
