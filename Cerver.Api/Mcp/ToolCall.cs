using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Requests;
using Cerver.Operations;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cerver.Api.Mcp;

/// <summary>A tool that does its work.</summary>
/// <param name="arguments">What it was called with.</param>
/// <param name="call">Who called, and what else there is to know.</param>
/// <param name="cancellationToken">The caller does not want it any more.</param>
internal delegate Task<CallToolResult> ToolHandler<in TArguments>(TArguments arguments, ToolCall call, CancellationToken cancellationToken)
    where TArguments : class;

/// <summary>One call of a tool, its arguments checked against the tool's schema.</summary>
/// <param name="request">What the client sent.</param>
/// <param name="caller">The account that calls.</param>
/// <param name="arguments">The arguments.</param>
internal sealed class ToolCall(
    RequestContext<CallToolRequestParams> request, Caller caller, ImmutableSortedDictionary<string, JsonElement> arguments)
{
    private const string SessionIdName = "session_id";
    private const string KeyName = "idempotency_key";

    /// <summary>The account that calls.</summary>
    public Caller Caller => caller;

    /// <summary>The session that the call is about. Only tools that demand one ask.</summary>
    public string SessionId => arguments[SessionIdName].GetString()!;

    /// <summary>The caller's name for the write, or null.</summary>
    public Operation? Operation => arguments.TryGetValue(KeyName, out var key)
        ? IdempotencyKey.Name(key.GetString()!, KeyName, $"MCP {request.Params.Name}\n", Write(arguments.Remove(KeyName)))
        : null;

    /// <summary>Whether the client asked to hear how far the call is.</summary>
    public bool WantsProgress => request.Params.ProgressToken is not null;

    /// <summary>The arguments as the Api reads them from bodies; what it does not know there is left out.</summary>
    public T Read<T>()
        where T : class => RequestBody.Parse(Write(arguments), (JsonTypeInfo<T>)RequestJson.Default.GetTypeInfo(typeof(T))!)!;

    /// <summary>Tells the client how far the call is.</summary>
    /// <param name="progress">Each time more than the time before.</param>
    /// <param name="message">For people.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task ReportAsync(double progress, string message, CancellationToken cancellationToken) => request.Params.ProgressToken is { } token
        ? request.Server.NotifyProgressAsync(token, new() { Progress = (float)progress, Message = message }, cancellationToken: cancellationToken)
        : Task.CompletedTask;

    private static ReadOnlySequence<byte> Write(ImmutableSortedDictionary<string, JsonElement> members)
    {
        var text = new ArrayBufferWriter<byte>();
        text.Write("{"u8);
        var separator = ReadOnlySpan<byte>.Empty;
        foreach (var (name, value) in members)
        {
            text.Write(separator);
            text.Write(Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(name, JsonAnswer.WriterOptions.Encoder)}\":"));
            text.Write(JsonMarshal.GetRawUtf8Value(value));
            separator = ","u8;
        }

        text.Write("}"u8);
        return new(text.WrittenMemory);
    }
}
