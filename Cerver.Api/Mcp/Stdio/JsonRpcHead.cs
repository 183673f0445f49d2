using System.Text.Json;

namespace Cerver.Api.Mcp.Stdio;

/// <summary>What a bridge must know of a JSON-RPC message. It passes on the rest without a look.</summary>
/// <param name="Id">The id as it is written, or null.</param>
/// <param name="Method">The method, or null for an answer.</param>
/// <param name="Name">What the method is about: the name of a tool or prompt, or the address of a resource.</param>
/// <param name="CancelledId">The id of the request that is not wanted any more, as it is written.</param>
/// <param name="DeclaredVersion">The version of the protocol that the message says it is in.</param>
/// <param name="AgreedVersion">The version of the protocol that an answer to <c>initialize</c> names.</param>
internal sealed record JsonRpcHead(string? Id, string? Method, string? Name, string? CancelledId, string? DeclaredVersion, string? AgreedVersion)
{
    private const string VersionKey = "io.modelcontextprotocol/protocolVersion";

    /// <summary>Of a message that cannot be read.</summary>
    public static JsonRpcHead None { get; } = new(null, null, null, null, null, null);

    /// <summary>Whether it is a request, which is owed an answer.</summary>
    public bool IsRequest => Id is not null && Method is not null;

    /// <summary>Whether it is an answer.</summary>
    public bool IsAnswer => Id is not null && Method is null;

    /// <summary>Reads a message.</summary>
    /// <returns><see cref="None"/> for anything but a JSON object.</returns>
    public static JsonRpcHead Read(ReadOnlyMemory<byte> message)
    {
        try
        {
            using var document = JsonDocument.Parse(message);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return None;
            }

            var parameters = Find(root, "params");
            return new(
                Find(root, "id") is { ValueKind: JsonValueKind.String or JsonValueKind.Number } id ? id.GetRawText() : null,
                TextOf(Find(root, "method")),
                TextOf(Find(parameters, "name")) ?? TextOf(Find(parameters, "uri")),
                Find(parameters, "requestId")?.GetRawText(),
                TextOf(Find(Find(parameters, "_meta"), VersionKey)),
                TextOf(Find(Find(root, "result"), "protocolVersion")));
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return None;
        }
    }

    private static JsonElement? Find(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var member) ? member : null;

    private static string? TextOf(JsonElement? element) => element is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}
