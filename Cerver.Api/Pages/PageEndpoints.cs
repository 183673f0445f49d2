using System.Security.Cryptography;
using System.Text;
using Cerver.Api.Meta;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Cerver.Api.Pages;

/// <summary>The pages for agents, for anybody to read.</summary>
internal static class PageEndpoints
{
    private const string PlainText = "text/plain";
    private const string Markdown = "text/markdown";

    public static void MapPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup(string.Empty).WithTags("Meta");
        pages.MapOpen($"/{AgentPages.Index}", GetIndex).WithName("getAgentIndex")
            .WithSummary("Tells agents what there is to read here, by the convention of llms.txt.")
            .Produces<string>(contentType: PlainText);
        pages.MapOpen($"/{AgentPages.Skill}", GetSkill).WithName("getAgentSkill")
            .WithSummary("Tells agents how to use this gateway, as a skill with its own address in it.")
            .Produces<string>(contentType: Markdown);
    }

    private static FileContentHttpResult GetIndex(HttpContext context, AgentPages pages, IOptions<ApiOptions> options) =>
        Write(context, pages, AgentPages.Index, PlainText, options.Value);

    private static FileContentHttpResult GetSkill(HttpContext context, AgentPages pages, IOptions<ApiOptions> options) =>
        Write(context, pages, AgentPages.Skill, Markdown, options.Value);

    /// <summary>A page is asked for again each time and sent again only when it is another: it changes with the gateway's version.</summary>
    private static FileContentHttpResult Write(HttpContext context, AgentPages pages, string page, string contentType, ApiOptions options)
    {
        var text = Encoding.UTF8.GetBytes(pages.Write(page, PageAddress.Of(context.Request, options.TrustProxy)));
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(text))[..16]}\"");
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Bytes(text, $"{contentType}; charset=utf-8", entityTag: tag);
    }
}
