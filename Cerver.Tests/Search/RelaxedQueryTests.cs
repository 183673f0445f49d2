using Cerver.Grains.Search;

namespace Cerver.Tests.Search;

public sealed class RelaxedQueryTests
{
    [Theory]
    [InlineData("why is the build failing", "build|builds|builded|building & failing|fail|fails|failed|faile|failes|failed|failing")]
    [InlineData("\"why is the build failing\"", "why is the build failing")]
    [InlineData("\"failing\"", "failing")]
    [InlineData("what is it", "what|whats|whated|whating")]
    [InlineData("why OR kafka", "why|kafka|kafkas|kafkaed|kafkaing")]
    [InlineData("为什么不用", "为什 & 什么 & 么不 & 不用")]
    [InlineData("\"为什么\"", "为什 什么")]
    [InlineData("parseJSON foo_bar", "parse json & foo bar")]
    [InlineData("migrat* logs", "migrat & logs|log|loged|loging")]
    public void What_only_asks_is_left_out_and_words_may_have_another_form(string text, string expected)
    {
        var query = RelaxedQuery.Of(SearchQueryParser.Parse(text));

        var groups = query.Required.Select(group => string.Join('|', group.Select(term => string.Join(' ', term.Words))));
        Assert.Equal(Distinct(expected), string.Join(" & ", groups));
    }

    [Theory]
    [InlineData("failed", "fail")]
    [InlineData("fail", "failing")]
    [InlineData("stopped", "stop")]
    [InlineData("renewed", "renew")]
    [InlineData("renewing", "renews")]
    [InlineData("concluded", "conclude")]
    [InlineData("conclude", "concluding")]
    [InlineData("retries", "retry")]
    [InlineData("retry", "retried")]
    [InlineData("crashes", "crash")]
    [InlineData("caches", "cache")]
    [InlineData("invoices", "invoice")]
    [InlineData("rolling", "rolled")]
    [InlineData("passing", "passes")]
    public void A_word_is_found_in_its_other_forms(string word, string other)
    {
        Assert.Contains(other, WordForms.Of(word));
    }

    [Theory]
    [InlineData("ios")]
    [InlineData("utf8")]
    [InlineData("обновить")]
    public void Other_words_have_one_form(string word)
    {
        Assert.Equal([word], WordForms.Of(word));
    }

    /// <summary>A form may come about in two ways and is looked for once.</summary>
    private static string Distinct(string groups) =>
        string.Join(" & ", groups.Split(" & ").Select(group => string.Join('|', group.Split('|').Distinct(StringComparer.Ordinal))));
}
