using System.Collections.Frozen;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>
/// What the tools are called, what they are for and what they take and give, as <c>tools.json</c> says it. It is what clients are shown, and what arguments are
/// checked against.
/// </summary>
internal static class ToolCatalog
{
    private static readonly FrozenDictionary<string, Tool> Tools = Read();

    /// <summary>Every name.</summary>
    public static ImmutableArray<string> Names => Tools.Keys;

    /// <summary>The tool of a name.</summary>
    public static Tool Find(string name) => Tools[name];

    private static FrozenDictionary<string, Tool> Read()
    {
        using var text = typeof(ToolCatalog).Assembly.GetManifestResourceStream("tools.json")!;
        return JsonSerializer.Deserialize<Tool[]>(text, McpJsonUtilities.DefaultOptions)!.ToFrozenDictionary(static tool => tool.Name, StringComparer.Ordinal);
    }
}
