using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Metadata;

namespace Cerver.Api.Pages;

/// <summary>
/// What agents read of this gateway, made of <c>agents.md</c>. A page names only what there is: parts are left out whose routes this gateway does not have, and the
/// list of routes is that of the routes.
/// </summary>
internal sealed class AgentPages(EndpointDataSource endpoints)
{
    /// <summary>An index of what an agent can read, by the convention of that name.</summary>
    public const string Index = "llms.txt";

    /// <summary>How an agent uses the gateway, with the head that agents' programs look for in a skill.</summary>
    public const string Skill = "skill.md";

    private const string ResourceName = "agents.md";
    private const string ApiPath = "/v2/";

    /// <summary>All routes are there when the first request comes.</summary>
    private readonly Lazy<FrozenDictionary<string, string>> _pages =
        new(() => PageTemplate.Render(Template, [.. RoutesOf(endpoints)]).ToFrozenDictionary(StringComparer.Ordinal));

    /// <summary>What the pages are made of.</summary>
    internal static string Template { get; } = ReadTemplate();

    /// <summary>A page for a gateway at an address.</summary>
    public string Write(string page, string address) => _pages.Value[page].Replace(PageTemplate.AddressMark, address, StringComparison.Ordinal);

    private static IEnumerable<PageRoute> RoutesOf(EndpointDataSource endpoints) =>
        from endpoint in endpoints.Endpoints.OfType<RouteEndpoint>()
        let path = $"/{endpoint.RoutePattern.RawText?.Trim('/').Replace("{**", "{", StringComparison.Ordinal)}"
        let summary = path.StartsWith(ApiPath, StringComparison.Ordinal) ? endpoint.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary : null
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
        select new PageRoute(method, path, summary);

    private static string ReadTemplate()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"The build left out {ResourceName}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
