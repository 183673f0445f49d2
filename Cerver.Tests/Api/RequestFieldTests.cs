using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Api.Requests;

namespace Cerver.Tests.Api;

public sealed class RequestFieldTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private const string Seconds = "'timeout' must be a number of seconds from 1 to 86400.";
    private const string Count = "'expected_total' must be a whole number from 0 on.";

    private static readonly string[] Values = ["7", "0.5", "1e999", "\"x\"", "true", "[]", "{}", "null"];

    /// <summary>Every body of a request and every object in one. What a tool is called with is checked against its schema first.</summary>
    public static TheoryData<Type> Bodies { get; } = new(typeof(RequestJson).Assembly.GetExportedTypes().Where(type => TypeInfoOf(type) is { Kind: JsonTypeInfoKind.Object }));

    [Theory]
    [InlineData("run", """{"code":"ls","timeout":0}""", Seconds)]
    [InlineData("run", """{"code":"ls","timeout":1e999}""", Seconds)]
    [InlineData("run", """{"code":"ls","timeout":"10"}""", Seconds)]
    [InlineData("run", """{"code":"ls","timeout":true}""", Seconds)]
    [InlineData("run", """{"code":"ls","timeout":[]}""", Seconds)]
    [InlineData("run", """{"code":"ls","timeout":{"seconds":10}}""", Seconds)]
    [InlineData("run", """{"code":"ls","timeout":"\ud800"}""", Seconds)]
    [InlineData("run/stream", """{"code":"ls","timeout":"10"}""", Seconds)]
    [InlineData("transcript", """{"expected_total":-1,"entries":[]}""", Count)]
    [InlineData("transcript", """{"expected_total":1.5,"entries":[]}""", Count)]
    [InlineData("transcript", """{"expected_total":"1","entries":[]}""", Count)]
    [InlineData("transcript", """{"expected_total":99999999999999999999,"entries":[]}""", Count)]
    [InlineData("transcript", """{"entries":[{"role":"tool","content":"hi","is_error":"no"}]}""", "'entries[0].is_error' must be true or false.")]
    [InlineData("transcript", """{"entries":[{"role":"tool","content":"hi","is_error":1}]}""", "'entries[0].is_error' must be true or false.")]
    [InlineData("transcript", """{"entries":[{"role":"user","content":"\ud800"}]}""", "'entries[0].content' contains text that is not valid Unicode.")]
    [InlineData("transcript", """{"\ud800":1}""", "The body contains text that is not valid Unicode.")]
    public async Task A_refused_field_is_told_what_it_must_be(string call, string body, string error)
    {
        var session = await fixture.Api.CreateSessionAsync();

        using var answer = await fixture.Api.SendAsync(HttpMethod.Post, $"/v2/sessions/{session}/{call}", body);

        Assert.Equal((400, error), (answer.Status, answer.Json.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task A_vault_is_the_default_or_not()
    {
        using var answer = await fixture.Api.SendAsync(HttpMethod.Post, "/v2/account/infisical", """{"project_id":"p1","is_default":"yes"}""");

        Assert.Equal((400, "'is_default' must be true or false."), (answer.Status, answer.Json.GetProperty("error").GetString()));
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public void No_value_of_the_wrong_type_is_taken_for_bad_text(Type body)
    {
        var type = TypeInfoOf(body)!;

        foreach (var property in type.Properties)
        {
            foreach (var value in Values)
            {
                var failure = Record.Exception(() => JsonSerializer.Deserialize($$"""{"{{property.Name}}":{{value}}}""", type));

                // That is how the reader says both.
                Assert.False(failure is { InnerException: InvalidOperationException }, $"{property.Name}: {value}");
            }
        }
    }

    private static JsonTypeInfo? TypeInfoOf(Type type) => RequestJson.Default.GetTypeInfo(type);
}
