using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Cerver.Tests.Api;

public sealed class OpenApiDocumentTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private const string Update = "CERVER_UPDATE_OPENAPI";

    private static readonly string[] Verbs = ["get", "post", "put", "patch", "delete"];

    [Fact]
    public async Task The_copy_beside_the_code_says_what_the_routes_do()
    {
        var made = await MakeAsync();
        var copy = Path.Combine(FindRoot(), "Cerver.Api", "openapi.json");
        if (string.Equals(Environment.GetEnvironmentVariable(Update), "1", StringComparison.Ordinal))
        {
            await File.WriteAllTextAsync(copy, made);
        }

        Assert.True(
            string.Equals(made, await File.ReadAllTextAsync(copy), StringComparison.Ordinal),
            $"The API changed and Cerver.Api/openapi.json did not. Write it anew with: {Update}=1 dotnet test Cerver.Tests --filter {nameof(OpenApiDocumentTests)}");
    }

    [Fact]
    public async Task Every_operation_has_an_id_a_summary_a_tag_refusals_and_examples()
    {
        var lacks = new List<string>();

        foreach (var (name, operation) in await OperationsAsync())
        {
            lacks.AddRange(LacksOf(operation).Select(lack => $"{name}: {lack}"));
        }

        Assert.Empty(lacks);
    }

    [Fact]
    public async Task Operation_ids_are_unique()
    {
        var ids = (await OperationsAsync()).Select(static operation => operation.Operation["operationId"]!.GetValue<string>()).ToList();

        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Every_route_of_the_contract_is_there()
    {
        var routes = (await OperationsAsync()).Select(static operation => operation.Name).ToHashSet(StringComparer.Ordinal);

        string[] contract =
        [
            "post /v2/sessions", "get /v2/sessions", "post /v2/sessions/import", "get /v2/sessions/{sessionId}", "patch /v2/sessions/{sessionId}", "delete /v2/sessions/{sessionId}",
            "post /v2/sessions/{sessionId}/input", "post /v2/sessions/{sessionId}/transcript", "post /v2/sessions/{sessionId}/run",
            "post /v2/sessions/{sessionId}/run/stream", "get /v2/sessions/{sessionId}/runs", "get /v2/sessions/{sessionId}/runs/{runId}",
            "get /v2/sessions/{sessionId}/runs/{runId}/stream", "delete /v2/sessions/{sessionId}/runs/{runId}", "post /v2/sessions/{sessionId}/resume",
            "post /v2/sessions/{sessionId}/pause", "post /v2/sessions/{sessionId}/compute", "post /v2/sessions/{sessionId}/change-compute",
            "get /v2/sessions/{sessionId}/export", "get /v2/sessions/{sessionId}/metrics", "get /v2/computes", "post /v2/computes/register", "post /v2/computes/{computeId}/heartbeat",
            "get /v2/computes/{computeId}", "delete /v2/computes/{computeId}", "get /v2/secrets", "get /v2/secrets/audit", "get /v2/secrets/{name}",
            "get /v2/sessions/{sessionId}/files", "get /v2/sessions/{sessionId}/files/{path}", "put /v2/sessions/{sessionId}/files/{path}", "delete /v2/sessions/{sessionId}/files/{path}",
            "get /v2/account/infisical", "post /v2/account/infisical", "patch /v2/account/infisical/{vaultId}", "delete /v2/account/infisical/{vaultId}",
            "post /v2/account/infisical/{vaultId}/verify",
            "get /", "get /llms.txt", "get /skill.md", "get /livez", "get /healthz", "get /readyz",
        ];
        Assert.Superset(contract.ToHashSet(StringComparer.Ordinal), routes);
    }

    [Fact]
    public async Task Example_requests_are_read_without_complaint()
    {
        var session = await fixture.Api.CreateSessionAsync();
        var vault = await fixture.Api.CreateVaultAsync();
        var machine = await fixture.Api.RegisterMachineAsync();
        foreach (var (name, operation) in await OperationsAsync())
        {
            var example = operation["requestBody"]?["content"]?["application/json"]?["example"];
            if (example is null || name.Contains("/run", StringComparison.Ordinal))
            {
                continue;
            }

            var (verb, path) = (name.Split(' ')[0], name.Split(' ')[1]
                .Replace("{sessionId}", session, StringComparison.Ordinal).Replace("{vaultId}", vault, StringComparison.Ordinal).Replace("{computeId}", machine, StringComparison.Ordinal));
            using var answer = await fixture.Api.SendAsync(new HttpMethod(verb.ToUpperInvariant()), path, example.ToJsonString());
            Assert.True(answer.Response.IsSuccessStatusCode, $"{name}: {answer.Text}");
        }
    }

    [Fact]
    public async Task The_document_is_served_to_anybody_and_names_no_host()
    {
        using var answer = await ApiHost.SendAsync(fixture.Api.Nobody, HttpMethod.Get, "/openapi/v1.json");

        Assert.Equal(200, answer.Status);
        Assert.StartsWith("3.1", answer.Json.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("/", answer.Json.GetProperty("servers")[0].GetProperty("url").GetString());
        Assert.DoesNotContain("127.0.0.1", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_reference_page_loads_nothing_from_elsewhere()
    {
        using var page = await ApiHost.SendAsync(fixture.Api.Nobody, HttpMethod.Get, "/docs/");

        Assert.Equal(200, page.Status);
        Assert.DoesNotContain("https://", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", page.Text, StringComparison.Ordinal);
        Assert.Contains("default-src 'self'", page.Response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    private static IEnumerable<string> LacksOf(JsonNode operation)
    {
        foreach (var member in (string[])["operationId", "summary", "tags"])
        {
            if (operation[member] is null)
            {
                yield return member;
            }
        }

        var responses = operation["responses"]!.AsObject();
        if (!responses.Any(static response => response.Key[0] is '4' or '5'))
        {
            yield return "a refusal";
        }

        if (operation["requestBody"] is { } body && body["content"]!.AsObject().Any(static media => media.Value!["example"] is null))
        {
            yield return "an example of the request";
        }

        foreach (var (status, response) in responses)
        {
            var content = response!["content"]?.AsObject();
            if (content is null || content.Any(static media => media.Value!["schema"] is null || media.Value["example"] is null))
            {
                yield return $"a schema and an example of answer {status}";
            }
        }
    }

    private async Task<List<(string Name, JsonNode Operation)>> OperationsAsync() =>
    [
        .. JsonNode.Parse(await MakeAsync())!["paths"]!.AsObject().SelectMany(static path => path.Value!.AsObject()
            .Where(static member => Verbs.Contains(member.Key, StringComparer.Ordinal))
            .Select(member => ($"{member.Key} {path.Key}", member.Value!))),
    ];

    private async Task<string> MakeAsync()
    {
        var document = await fixture.Api.Services.GetRequiredKeyedService<IOpenApiDocumentProvider>("v1").GetOpenApiDocumentAsync();
        return await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1) + "\n";
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Cerver.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run within the repository.");
        }

        return folder.FullName;
    }
}
