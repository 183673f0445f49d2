using System.Text.Json;
using Cerver.Api.Mcp;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Cerver.Tests.Mcp;

/// <summary>An agent that uses a gateway's tools, with the SDK's own client. It holds every answer against the schema that the tool promises.</summary>
internal sealed class Agent : IAsyncDisposable
{
    private readonly McpClient _client;
    private readonly Dictionary<string, Tool> _tools;

    private Agent(McpClient client, IEnumerable<McpClientTool> tools)
    {
        _client = client;
        _tools = tools.ToDictionary(static tool => tool.Name, static tool => tool.ProtocolTool, StringComparer.Ordinal);
    }

    public McpClient Client => _client;

    public IReadOnlyDictionary<string, Tool> Tools => _tools;

    /// <summary>An agent over HTTP.</summary>
    /// <param name="address">The gateway.</param>
    /// <param name="token">The account's token.</param>
    /// <param name="version">The version of the protocol, or null for the newest.</param>
    public static Task<Agent> ConnectAsync(Uri address, string token, string? version = null) => ConnectAsync(
        new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = new Uri(address, "/mcp"),
            TransportMode = HttpTransportMode.StreamableHttp,
            AdditionalHeaders = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = $"Bearer {token}" },
        }),
        version);

    /// <summary>An agent over any transport.</summary>
    public static async Task<Agent> ConnectAsync(IClientTransport transport, string? version = null)
    {
        var client = await McpClient.CreateAsync(transport, new McpClientOptions { ProtocolVersion = version });
        return new(client, await client.ListToolsAsync());
    }

    /// <summary>Calls a tool that must succeed.</summary>
    /// <returns>What it answers for programs; nothing for a tool that answers with a text alone.</returns>
    public async Task<JsonElement> CallAsync(string tool, object? arguments = null)
    {
        var answer = await AskAsync(tool, arguments);
        Assert.False(answer.IsError == true, TextOf(answer));
        return answer.StructuredContent ?? default;
    }

    /// <summary>Calls a tool that must fail.</summary>
    /// <returns>What it says.</returns>
    public async Task<string> FailAsync(string tool, object? arguments = null)
    {
        var answer = await AskAsync(tool, arguments);
        Assert.True(answer.IsError, TextOf(answer));
        Assert.Null(answer.StructuredContent);
        return TextOf(answer);
    }

    /// <summary>Calls a tool.</summary>
    public async Task<CallToolResult> AskAsync(
        string tool, object? arguments = null, IProgress<ProgressNotificationValue>? progress = null, CancellationToken cancellationToken = default)
    {
        var given = JsonSerializer.SerializeToElement(arguments ?? new { }).EnumerateObject().ToDictionary(static one => one.Name, static one => (object?)one.Value, StringComparer.Ordinal);
        var answer = await _client.CallToolAsync(tool, given, progress, cancellationToken: cancellationToken);
        foreach (var block in answer.Content)
        {
            Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(Assert.IsType<TextContentBlock>(block).Text), 1, ToolAnswer.MaxTextBytes + 2_000);
        }

        if (answer.StructuredContent is { } content)
        {
            var members = content.EnumerateObject().ToDictionary(static member => member.Name, static member => member.Value, StringComparer.Ordinal);
            new ToolSchema(_tools[tool].OutputSchema!.Value).CheckArguments(members);
        }
        else
        {
            Assert.True(answer.IsError == true || _tools[tool].OutputSchema is null, $"{tool} answers without the object that it promises.");
        }

        return answer;
    }

    /// <summary>What an answer says to a model.</summary>
    public static string TextOf(CallToolResult answer) => string.Join('\n', answer.Content.OfType<TextContentBlock>().Select(static block => block.Text));

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
