using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cerver.Api.Errors;
using Cerver.Api.Pages;
using Cerver.Errors;
using Cerver.Tests.Api;
using k8s;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cerver.Tests.Pages;

/// <summary>What the pages for agents say is so, and in the form that agents' programs look for.</summary>
public sealed partial class AgentPageTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private const string Update = "CERVER_UPDATE_PAGES";

    private readonly ApiHost _api = fixture.Api;

    private string Address => _api.Address.GetLeftPart(UriPartial.Authority);

    [Theory]
    [InlineData("/llms.txt", "text/plain; charset=utf-8")]
    [InlineData("/skill.md", "text/markdown; charset=utf-8")]
    public async Task Anybody_may_read_a_page_and_gets_it_again_only_when_it_changed(string path, string contentType)
    {
        using var page = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, path);
        using var head = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Head, path);
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { page.Response.Headers.ETag! } } };
        using var again = await _api.Nobody.SendAsync(request);

        Assert.Equal((200, contentType, "no-cache"), (page.Status, page.Response.Content.Headers.ContentType!.ToString(), page.Response.Headers.CacheControl!.ToString()));
        Assert.Equal((200, "", page.Response.Content.Headers.ContentLength), (head.Status, head.Text, head.Response.Content.Headers.ContentLength));
        Assert.Equal((304, page.Response.Headers.ETag), ((int)again.StatusCode, again.Headers.ETag));
        Assert.DoesNotContain("{{", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_has_the_address_that_it_was_asked_for_at()
    {
        using var plain = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, "/skill.md");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/skill.md") { Headers = { Host = "Gateway.example:8443" } };
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "elsewhere.example");
        using var named = await _api.Nobody.SendAsync(request);

        Assert.Contains($"export CERVER_URL={Address}\n", plain.Text, StringComparison.Ordinal);
        Assert.Contains("export CERVER_URL=http://gateway.example:8443\n", await named.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_trusts_its_proxy_has_the_address_that_the_proxy_says()
    {
        await using var api = await ApiHost.StartAsync(("Cerver:Api:TrustProxy", "true"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/skill.md");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "client.example, cerver.example");

        using var page = await api.Nobody.SendAsync(request);

        Assert.Contains("export CERVER_URL=https://cerver.example\n", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_skill_has_the_head_that_the_convention_wants_and_is_short()
    {
        var page = await ReadAsync("/skill.md");

        var parts = page.Split("---\n", 3);
        var head = KubernetesYaml.Deserialize<Dictionary<string, string>>(parts[1]);
        Assert.Equal("", parts[0]);
        Assert.Equal(["compatibility", "description", "license", "name"], head.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("cerver", head["name"]);
        Assert.InRange(head["description"].Length, 100, 1_024);
        Assert.InRange(head["compatibility"].Length, 1, 500);
        Assert.InRange(page.Split('\n').Length, 50, 220);
    }

    [Fact]
    public async Task The_index_is_a_title_a_summary_and_lists_of_links()
    {
        var sections = (await ReadAsync("/llms.txt")).Split("\n## ");

        var head = sections[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("# Cerver", head[0]);
        Assert.StartsWith("> ", head[1], StringComparison.Ordinal);
        Assert.DoesNotContain(head[2..], static line => line.StartsWith('#'));
        Assert.Equal(["Start here", "API", "Optional"], sections[1..].Select(static section => section.Split('\n')[0]));
        Assert.All(
            sections[1..].SelectMany(static section => section.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..]), static line => Assert.Matches(ListedLink(), line));
    }

    [Theory]
    [InlineData("/llms.txt")]
    [InlineData("/skill.md")]
    public async Task Every_address_that_a_page_names_answers(string path)
    {
        var links = PageReader.LinksOf(await ReadAsync(path), Address).Select(static link => link.Length == 0 ? "/" : link).ToHashSet(StringComparer.Ordinal);

        Assert.NotEmpty(links);
        foreach (var link in links)
        {
            using var answer = await ApiHost.SendAsync(_api.Alice, HttpMethod.Get, link);
            Assert.True(answer.Status is not (401 or 404 or >= 500), $"{link}: {answer.Status}");
        }
    }

    [Fact]
    public async Task Every_call_of_the_examples_is_one_that_the_API_reference_has()
    {
        using var document = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, "/openapi/v1.json");
        var reference = JsonNode.Parse(document.Text)!;
        var paths = reference["paths"]!.AsObject().ToDictionary(static path => Parameter().Replace(path.Key, "{}"), static path => path.Value!, StringComparer.Ordinal);
        var calls = PageReader.CallsOf(await ReadAsync("/skill.md")).ToList();

        Assert.True(calls.Count > 15);
        foreach (var call in calls)
        {
            var operation = paths.GetValueOrDefault(call.Path)?[call.Method.ToLowerInvariant()];
            Assert.True(operation is not null, $"{call.Method} {call.Path}");
            Assert.Subset(NamesOf(operation["parameters"]?.AsArray()), call.Parameters.ToHashSet(StringComparer.Ordinal));
            Assert.Subset(MembersOf(reference, operation), call.Members.ToHashSet(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Every_route_that_is_named_is_there_and_every_one_of_the_API_is_named()
    {
        var routes = RoutesOf(_api);
        var named = PageReader.RoutesOf(await ReadAsync("/skill.md")).ToHashSet(StringComparer.Ordinal);

        Assert.Subset(routes, named);
        Assert.Subset(named, routes.Where(static route => route.Contains(" /v2/", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_word_of_a_refusal_that_is_named_is_one()
    {
        string[] own = ["unauthorized", "timeout", "unavailable", Refusals.RunLostCode];
        var words = Enum.GetValues<CerverError>().Select(static error => Refusals.Describe(error).Code).Concat(own).ToHashSet(StringComparer.Ordinal);

        var named = PageReader.CodesOf(await ReadAsync("/skill.md")).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(words.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Tools_are_named_only_where_there_is_MCP()
    {
        var hasMcp = RoutesOf(_api).Contains("POST /mcp");

        foreach (var path in (string[])["/skill.md", "/llms.txt"])
        {
            var page = await ReadAsync(path);
            Assert.Equal(hasMcp, page.Contains("MCP", StringComparison.Ordinal));
            Assert.Equal(hasMcp && path == "/skill.md", PageReader.ToolsOf(page).Count > 0);
            Assert.All(PageReader.JsonOf(page), static json => Assert.NotNull(JsonNode.Parse(json)));
        }
    }

    [Fact]
    public void What_the_pages_wait_for_is_there_or_about_to_come()
    {
        string[] coming = ["POST /mcp", "GET /v2/sessions/search"];

        Assert.Subset(RoutesOf(_api).Concat(coming).ToHashSet(StringComparer.Ordinal), PageTemplate.NeedsOf(AgentPages.Template).ToHashSet(StringComparer.Ordinal));
    }

    [Fact]
    public void The_skill_in_the_repository_is_the_page()
    {
        var made = _api.Services.GetRequiredService<AgentPages>().Write(AgentPages.Skill, PageAddress.Default);
        var copy = Path.Combine(FindRoot(), "skills", "cerver", "SKILL.md");
        if (string.Equals(Environment.GetEnvironmentVariable(Update), "1", StringComparison.Ordinal))
        {
            File.WriteAllText(copy, made);
        }

        Assert.True(
            string.Equals(made, File.ReadAllText(copy), StringComparison.Ordinal),
            $"What agents read changed and skills/cerver/SKILL.md did not. Write it anew with: {Update}=1 dotnet test Cerver.Tests --filter {nameof(AgentPageTests)}");
    }

    [Fact]
    public async Task The_gateway_says_where_its_pages_are()
    {
        using var info = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, "/");

        var endpoints = info.Json.GetProperty("endpoints");
        Assert.Equal(("/llms.txt", "/skill.md"), (endpoints.GetProperty("llms").GetString(), endpoints.GetProperty("skill").GetString()));
    }

    private static HashSet<string> RoutesOf(ApiHost api) =>
    [
        .. api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().SelectMany(
            static route => route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [], static (route, method) => $"{method} /{route.RoutePattern.RawText!.Trim('/').Replace("{**", "{", StringComparison.Ordinal)}"),
    ];

    private static HashSet<string> NamesOf(JsonArray? parameters) =>
        (parameters ?? []).Select(static parameter => parameter!["name"]!.GetValue<string>()).ToHashSet(StringComparer.Ordinal);

    private static HashSet<string> MembersOf(JsonNode reference, JsonNode operation)
    {
        var schema = operation["requestBody"]?["content"]!["application/json"]?["schema"];
        while (schema?["$ref"]?.GetValue<string>() is { } name)
        {
            schema = reference["components"]!["schemas"]![name.Split('/')[^1]];
        }

        return (schema?["properties"]?.AsObject() ?? []).Select(static member => member.Key).ToHashSet(StringComparer.Ordinal);
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

    private async Task<string> ReadAsync(string path)
    {
        using var answer = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, path);
        Assert.Equal(200, answer.Status);
        return answer.Text;
    }

    [GeneratedRegex(@"\{[^}]+\}", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^- \[[^\]]+\]\(http://127\.0\.0\.1:\d+/[^)]+\): \S.*$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ListedLink();
}
