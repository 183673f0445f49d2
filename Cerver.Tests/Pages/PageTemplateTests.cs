using Cerver.Api.Pages;

namespace Cerver.Tests.Pages;

/// <summary>What is left of a text when routes are missing.</summary>
public sealed class PageTemplateTests
{
    private static readonly PageRoute[] Routes = [new("GET", "/v2/b/{id}", "Reads."), new("POST", "/v2/a", "Writes."), new("GET", "/docs", Summary: null)];

    [Theory]
    [InlineData("a\n{{needs GET /docs}}\nb\n{{end}}\nc\n", "a\nb\nc\n")]
    [InlineData("a\n{{needs GET /none}}\nb\n{{end}}\nc\n", "a\nc\n")]
    [InlineData("a{{needs GET /docs}}, b{{end}}.\n", "a, b.\n")]
    [InlineData("a{{needs GET /none}}, b{{end}}.\n", "a.\n")]
    [InlineData("{{needs GET /v2/b/{id}}}\nb\n{{end}}\n", "b\n")]
    [InlineData("a{{needs GET /v2/b/{id}}} b{{end}}\n", "a b\n")]
    [InlineData("{{needs GET /none}}\na{{needs GET /docs}}b{{end}}\n{{end}}\nc\n", "c\n")]
    [InlineData("{{needs GET /docs}}\na{{needs GET /none}}b{{end}}\n{{end}}\nc\n", "a\nc\n")]
    [InlineData("{{routes}}\n", "- `POST /v2/a`: Writes.\n- `GET /v2/b/{id}`: Reads.\n")]
    [InlineData("{{url}}/x {\"a\": {\"b\": 1}}\n", "{{url}}/x {\"a\": {\"b\": 1}}\n")]
    public void A_part_is_there_when_its_route_is(string template, string page) =>
        Assert.Equal([new("one", page), new("two", "2\n")], PageTemplate.Render("{{page one}}\n" + template + "{{page two}}\n2\n", Routes));

    [Fact]
    public void A_gateway_that_has_everything_names_every_tool_and_shows_how_to_search()
    {
        var everything = PageTemplate.NeedsOf(AgentPages.Template).Distinct(StringComparer.Ordinal)
            .Select(static route => new PageRoute(route.Split(' ')[0], route.Split(' ')[1], Summary: null)).ToList();

        var pages = PageTemplate.Render(AgentPages.Template, everything).ToDictionary(StringComparer.Ordinal);

        string[] tools =
        [
            "cerver_compute_list", "cerver_run", "cerver_session_append", "cerver_session_create", "cerver_session_end", "cerver_session_export", "cerver_session_input",
            "cerver_session_list", "cerver_session_peek", "cerver_session_resume", "cerver_session_search", "secret_fetch",
        ];
        var skill = pages[AgentPages.Skill];
        Assert.Equal(tools, PageReader.ToolsOf(skill).Order(StringComparer.Ordinal));
        Assert.Contains(PageReader.CallsOf(skill), static call => call.Path == "/v2/sessions/search");
        Assert.Single(PageReader.JsonOf(skill));
        Assert.Contains("]({{url}}/mcp)", pages[AgentPages.Index], StringComparison.Ordinal);
        Assert.All(pages.Values, static page => Assert.DoesNotContain("{{", page.Replace(PageTemplate.AddressMark, "", StringComparison.Ordinal), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{{page one}}\na\n{{end}}\n")]
    [InlineData("{{page one}}\n{{needs GET /docs}}\na\n")]
    public void A_part_without_an_end_is_a_mistake(string template) =>
        Assert.Throws<InvalidOperationException>(() => PageTemplate.Render(template, Routes).ToList());
}
