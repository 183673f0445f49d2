using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Silo;
using Cerver.Tests.Silo;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.Http.GatewayFixture;

namespace Cerver.Tests.Http;

[Collection(nameof(GatewayFixture))]
public sealed class InfisicalVaultHttpTests(GatewayFixture gateway)
{
    private const string Vaults = "/v2/account/infisical";

    private readonly string _secret = $"client-secret-{Guid.NewGuid():n}";

    [Fact]
    public async Task A_vault_is_made_changed_and_deleted_and_its_credential_is_nowhere()
    {
        using var created = await gateway.Client.PostAsJsonAsync(Vaults, Body());
        var made = await JsonAsync(created);
        var path = Path($"{Vaults}/{made.GetProperty("id").GetString()}");
        using var changed = await gateway.Client.PatchAsJsonAsync(path, new { label = "Renamed", environment = "dev" });
        var listed = await gateway.GetAsync(Vaults);
        using var other = await gateway.Other.PatchAsJsonAsync(path, new { label = "Mine" });
        using var others = await gateway.Other.DeleteAsync(path);
        var kept = await FilesWithAsync(gateway.DataDirectory, _secret);
        using var deleted = await gateway.Client.DeleteAsync(path);
        using var again = await gateway.Client.DeleteAsync(path);

        Assert.Equal((HttpStatusCode.Created, "https://app.infisical.com", true), (created.StatusCode, made.GetProperty("site_url").GetString(), made.GetProperty("is_default").GetBoolean()));
        Assert.Equal(("Renamed", "dev"), (listed.GetProperty("vaults")[0].GetProperty("label").GetString(), listed.GetProperty("vaults")[0].GetProperty("environment").GetString()));
        Assert.All([made, await JsonAsync(changed), listed], answer => Assert.DoesNotContain(_secret, answer.GetRawText(), StringComparison.Ordinal));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (other.StatusCode, others.StatusCode));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (deleted.StatusCode, again.StatusCode));
        Assert.Empty(kept);
        Assert.Equal("""{"vaults":[]}""", (await gateway.GetAsync(Vaults)).GetRawText());
    }

    [Fact]
    public async Task A_site_that_the_operator_does_not_name_is_refused()
    {
        using var response = await gateway.Client.PostAsJsonAsync(Vaults, new { project_id = "p1", site_url = "http://127.0.0.1:1", service_token = $"st.{_secret}" });

        var refusal = await JsonAsync(response);
        Assert.Equal((HttpStatusCode.BadRequest, "site_url"), (response.StatusCode, refusal.GetProperty("field").GetString()));
        Assert.Contains("Cerver:Secrets:Infisical:Sites", refusal.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_secret, refusal.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vault_survives_the_process_that_took_it_which_tells_nobody_its_credential()
    {
        var data = Directory.CreateTempSubdirectory("cerver-vaults-").FullName;
        string made;
        await using (var process = await GatewayProcess.StartAsync(data))
        {
            using var created = await process.Client.PostAsJsonAsync(Vaults, Body());
            made = (await JsonAsync(created)).GetRawText();
            await process.StopAsync();

            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
            Assert.Contains("Made vault", process.Output, StringComparison.Ordinal);
            Assert.Contains("Cerver:DataProtection:CertificatePath", process.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("No XML encryptor", process.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(_secret, process.Output, StringComparison.Ordinal);
        }

        Assert.Empty(await FilesWithAsync(data, _secret));
        Assert.NotEmpty(await FilesWithAsync(data, JsonDocument.Parse(made).RootElement.GetProperty("id").GetString()!));
        await using (var app = await Gateway.BuildAsync(["--urls", "http://127.0.0.1:0", "--CERVER_DATA", data, "--Logging:LogLevel:Default", "Warning"], CancellationToken.None))
        {
            await app.StartAsync();
            var vault = Assert.Single(await app.Services.GetServices<IInfisicalVaults>().OfType<InfisicalAccountVaults>().Single().OfAsync("default", CancellationToken.None));
            await app.StopAsync();

            Assert.Equal(("p1", "c1", _secret), (vault.ProjectId, vault.ClientId, vault.Credential.Reveal()));
        }

        Directory.Delete(data, recursive: true);
    }

    private object Body() => new { label = "Team", project_id = "p1", client_id = "c1", client_secret = _secret };

    private static Uri Path(string path) => new(path, UriKind.Relative);

    private static async Task<List<string>> FilesWithAsync(string directory, string text)
    {
        var found = new List<string>();
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(static file => !file.EndsWith("lock", StringComparison.Ordinal)))
        {
            if ((await File.ReadAllTextAsync(file, Encoding.Latin1)).Contains(text, StringComparison.Ordinal))
            {
                found.Add(file);
            }
        }

        return found;
    }
}
