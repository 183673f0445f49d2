using Cerver.Errors;
using Cerver.Grains.Search;

namespace Cerver.Tests.Search;

public sealed class SearchQueryParserTests
{
    [Theory]
    [InlineData("retry budget", "retry & budget")]
    [InlineData("\"retry budget\"", "retry budget")]
    [InlineData("retry OR backoff budget", "retry|backoff & budget")]
    [InlineData("a OR b OR c", "a|b|c")]
    [InlineData("OR a OR", "a")]
    [InlineData("migrat*", "migrat*")]
    [InlineData("retry -budget -\"give up\"", "retry !budget !give up")]
    [InlineData("parseJSON", "parse json/parsejson")]
    [InlineData("parseJS*", "parsejs*")]
    [InlineData("parseJSO*", "parse jso/parsejso*")]
    [InlineData("foo_bar path/to/file.ts", "foo bar & path to file ts")]
    [InlineData("git push --force", "git & push & force")]
    [InlineData("\"unclosed quote", "unclosed quote")]
    [InlineData("(retry) [budget]; - +", "retry & budget")]
    [InlineData("数据", "数据")]
    [InlineData("数据库", "数据 据库")]
    [InlineData("库", "库*")]
    [InlineData("\"foo 库\"", "foo 库*")]
    [InlineData("使用foo", "使用 用 foo")]
    public void A_query_is_taken_apart(string text, string expected)
    {
        var query = SearchQueryParser.Parse(text);

        var required = string.Join(" & ", query.Required.Select(group => string.Join('|', group.Select(Write))));
        Assert.Equal(expected, string.Join(" !", [required, .. query.Excluded.Select(Write)]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\"\"")]
    [InlineData("- OR * \" ( ) -\"")]
    [InlineData("-only -excluded")]
    [InlineData("ab*")]
    [InlineData("foo_b*")]
    public void A_query_with_nothing_to_look_for_is_refused(string text)
    {
        var refusal = Assert.Throws<CerverException>(() => SearchQueryParser.Parse(text));

        Assert.Equal(CerverError.InvalidRequest, refusal.Code);
        Assert.Equal("q", refusal.Field);
    }

    [Fact]
    public void A_query_that_is_too_long_is_refused()
    {
        Assert.Contains("1000", Assert.Throws<CerverException>(() => SearchQueryParser.Parse(new string('a', 1001))).Message, StringComparison.Ordinal);
        Assert.Contains("32", Assert.Throws<CerverException>(() => SearchQueryParser.Parse(string.Join(' ', Enumerable.Repeat("a", 33)))).Message, StringComparison.Ordinal);
    }

    private static string Write(SearchTerm term) =>
        string.Join(' ', term.Words) + (term.Whole is { } whole ? $"/{whole}" : "") + (term.IsPrefix ? "*" : "");
}
