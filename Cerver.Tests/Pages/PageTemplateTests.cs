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

    [Theory]
    [InlineData("{{page one}}\na\n{{end}}\n")]
    [InlineData("{{page one}}\n{{needs GET /docs}}\na\n")]
    public void A_part_without_an_end_is_a_mistake(string template) =>
        Assert.Throws<InvalidOperationException>(() => PageTemplate.Render(template, Routes).ToList());
}
