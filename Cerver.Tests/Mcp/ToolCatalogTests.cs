using System.Text.Json;
using Cerver.Api.Mcp;

namespace Cerver.Tests.Mcp;

/// <summary>What every tool must say of itself.</summary>
public sealed class ToolCatalogTests
{
    public static TheoryData<string> Names => [.. ToolCatalog.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_tool_says_what_it_is_for_and_gives_an_example(string name)
    {
        var tool = ToolCatalog.Find(name);

        Assert.False(string.IsNullOrEmpty(tool.Title));
        Assert.Contains("Use it ", tool.Description, StringComparison.Ordinal);
        Assert.Contains("Example", tool.Description, StringComparison.Ordinal);
        Assert.NotNull(tool.Annotations);
        Assert.True(tool.Annotations is { ReadOnlyHint: not null, DestructiveHint: not null, IdempotentHint: not null, OpenWorldHint: not null });
        Assert.False(tool.Annotations is { ReadOnlyHint: true, DestructiveHint: true });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_argument_is_described_and_bounded(string name)
    {
        var schema = ToolCatalog.Find(name).InputSchema;

        Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
        Assert.All(schema.GetProperty("properties").EnumerateObject(), static argument => CheckArgument(argument.Value));
        _ = new ToolSchema(schema);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_member_of_an_answer_is_promised_or_said_to_be_optional(string name)
    {
        if (ToolCatalog.Find(name).OutputSchema is { } schema)
        {
            Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
            _ = new ToolSchema(schema);
        }
    }

    [Fact]
    public void The_tools_that_others_rely_on_are_there_as_they_know_them()
    {
        Assert.Equal(["limit", "status"], ArgumentsOf("cerver_session_list").Intersect(["status", "limit"]).Order(StringComparer.Ordinal));
        Assert.Equal(10, ToolCatalog.Find("cerver_session_peek").InputSchema.GetProperty("properties").GetProperty("last_n").GetProperty("default").GetInt32());
        Assert.Equal(["session_id"], RequiredOf("cerver_session_peek"));
        Assert.Equal(["session_id"], RequiredOf("cerver_session_export"));
        Assert.Empty(RequiredOf("cerver_session_list"));
    }

    private static IEnumerable<string> ArgumentsOf(string tool) =>
        ToolCatalog.Find(tool).InputSchema.GetProperty("properties").EnumerateObject().Select(static argument => argument.Name);

    private static IEnumerable<string> RequiredOf(string tool) => ToolCatalog.Find(tool).InputSchema.TryGetProperty("required", out var required)
        ? required.EnumerateArray().Select(static name => name.GetString()!)
        : [];

    private static void CheckArgument(JsonElement argument)
    {
        Assert.False(string.IsNullOrEmpty(argument.GetProperty("description").GetString()));
        var type = argument.GetProperty("type").ToString();
        Assert.True(!type.Contains("string", StringComparison.Ordinal) || argument.TryGetProperty("maxLength", out _) || argument.TryGetProperty("enum", out _), argument.GetRawText());
        Assert.True(!type.Contains("integer", StringComparison.Ordinal) || argument.TryGetProperty("minimum", out _), argument.GetRawText());
        Assert.True(type != "array" || argument.TryGetProperty("maxItems", out _), argument.GetRawText());
    }
}
