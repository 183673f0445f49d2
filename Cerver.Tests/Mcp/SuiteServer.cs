using System.ComponentModel;
using System.Text.Json;
using Cerver.Api;
using Cerver.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cerver.Tests.Mcp;

/// <summary>
/// The Api as it is, in front of a cluster that does nothing, with the tools that the official conformance suite asks for by name beside our own. What is tested
/// with them is all that stands around a tool: the transport, the protocol's versions, errors, progress, and who is let in.
/// </summary>
internal static class SuiteServer
{
    /// <summary>Serves on loopback until it is killed. The token is <c>CERVER_API_TOKEN</c>.</summary>
    public static async Task RunAsync(string port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Configuration.AddInMemoryCollection([new("Cerver:Auth:Tokens:suite", Environment.GetEnvironmentVariable("CERVER_API_TOKEN"))]);
        builder.Services.AddCerverApi(builder.Configuration);
        builder.Services.AddSingleton(new FakeCluster().Client);
        builder.Services.AddMcpServer().WithTools<SuiteTools>().WithTools([SuiteTools.WithDefinitions()]);
        await builder.Build().MapCerverApi().RunAsync();
    }
}

/// <summary>The tools of the suite: what each does is the suite's to say.</summary>
[McpServerToolType]
internal sealed class SuiteTools
{
    private static readonly byte[] Pixel = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==");

    /// <summary>A WAVE file without a sample.</summary>
    private static readonly byte[] Silence = Convert.FromBase64String("UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=");

    [McpServerTool(Name = "test_simple_text"), Description("Answers with a text.")]
    public static string SimpleText() => "This is a simple text response for testing.";

    [McpServerTool(Name = "test_image_content"), Description("Answers with an image.")]
    public static ImageContentBlock Image() => ImageContentBlock.FromBytes(Pixel, "image/png");

    [McpServerTool(Name = "test_audio_content"), Description("Answers with sound.")]
    public static AudioContentBlock Audio() => AudioContentBlock.FromBytes(Silence, "audio/wav");

    [McpServerTool(Name = "test_embedded_resource"), Description("Answers with a resource.")]
    public static EmbeddedResourceBlock Resource() =>
        new() { Resource = new TextResourceContents { Uri = "test://embedded-resource", MimeType = "text/plain", Text = "This is an embedded resource content." } };

    [McpServerTool(Name = "test_multiple_content_types"), Description("Answers with content of several types.")]
    public static IEnumerable<ContentBlock> Mixed() =>
    [
        new TextContentBlock { Text = "Multiple content types test:" },
        Image(),
        new EmbeddedResourceBlock { Resource = new TextResourceContents { Uri = "test://mixed-content-resource", MimeType = "application/json", Text = """{"test":"data","value":123}""" } },
    ];

    [McpServerTool(Name = "test_error_handling"), Description("Fails.")]
    public static string Fail() => throw new McpException("This tool intentionally returns an error for testing");

    [McpServerTool(Name = "test_tool_with_progress"), Description("Says how far it is.")]
    public static async Task<string> ProgressAsync(RequestContext<CallToolRequestParams> context, CancellationToken cancellationToken)
    {
        foreach (var progress in new[] { 0, 50, 100 })
        {
            if (context.Params.ProgressToken is { } token)
            {
                await context.Server.NotifyProgressAsync(token, new() { Progress = progress, Total = 100 }, cancellationToken: cancellationToken);
            }
        }

        return "Progress was reported.";
    }

#pragma warning disable MCP9005 // The suite asks for what the newest version of the protocol deprecates.
    [McpServerTool(Name = "test_missing_capability"), Description("Needs a client that can sample.")]
    public static string NeedsSampling(RequestContext<CallToolRequestParams> context) => context.Server.ClientCapabilities?.Sampling is null
        ? throw new MissingRequiredClientCapabilityException(new ClientCapabilities { Sampling = new() }, "This tool needs a client that can sample.")
        : "The client can sample.";

    [McpServerTool(Name = "test_logging_tool"), Description("Logs a line for the client.")]
    public static string Log(RequestContext<CallToolRequestParams> context)
    {
        context.Server.AsClientLoggerProvider().CreateLogger("suite").Log(LogLevel.Information, default, "A line for the client.", exception: null, static (line, _) => line);
        return "A line was logged.";
    }
#pragma warning restore MCP9005

    [McpServerTool(Name = "test_streaming_elicitation"), Description("Answers without asking back.")]
    public static string NeverAsks() => "Nothing was asked.";

    [McpServerTool(Name = "test_custom_headers"), Description("Takes an argument that stands in a header too.")]
    public static string Headers([McpHeader("Region"), Description("The region.")] string region, [Description("The query.")] string query) => $"{region}: {query}";

    /// <summary>A tool whose schema has parts that are named elsewhere in it.</summary>
    public static McpServerTool WithDefinitions()
    {
        var tool = McpServerTool.Create(static () => "Nothing was done.", new() { Name = "json_schema_2020_12_tool", Description = "Has a schema with definitions." });
        tool.ProtocolTool.InputSchema = JsonElement.Parse("""
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "$defs": {
                "address": { "$anchor": "address", "type": "object", "properties": { "street": { "type": "string" }, "city": { "type": "string" } } }
              },
              "properties": {
                "name": { "type": "string" },
                "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string" },
                "phone": { "type": "string" },
                "email": { "type": "string" }
              },
              "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
              "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
              "then": { "required": ["phone"] },
              "else": { "required": ["email"] },
              "additionalProperties": false
            }
            """);
        return tool;
    }
}
