using System.Net;
using System.Text.Json;

namespace Cerver.Grains.Secrets.Backends;

/// <summary>What a backend of secrets said. The body may have values, so it is shown nowhere.</summary>
internal sealed class BackendAnswer(HttpStatusCode status, JsonElement body)
{
    /// <summary>The status.</summary>
    public HttpStatusCode Status => status;

    /// <summary>Whether the status says that it is what was asked for.</summary>
    public bool IsSuccess => status == HttpStatusCode.OK;

    /// <summary>Whether the body is JSON.</summary>
    public bool IsJson => body.ValueKind != JsonValueKind.Undefined;

    /// <summary>What stands at a path of property names, undefined when there is nothing.</summary>
    public JsonElement At(params ReadOnlySpan<string> path)
    {
        var element = body;
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
            {
                return default;
            }
        }

        return element;
    }

    /// <summary>The text at a path, or null when there is none.</summary>
    public string? Text(params ReadOnlySpan<string> path) => TextOf(At(path));

    /// <summary>The whole number at a path, or null when there is none.</summary>
    public long? Number(params ReadOnlySpan<string> path) =>
        At(path) is { ValueKind: JsonValueKind.Number } element && element.TryGetInt64(out var number) ? number : null;

    /// <summary>The elements of the list at a path; null when there is no list.</summary>
    public IEnumerable<JsonElement>? Elements(params ReadOnlySpan<string> path) =>
        At(path) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : null;

    /// <summary>The text that an element is, or null when it is something else. JSON can have half a character, which no text has.</summary>
    /// <exception cref="BackendFailure">It is no text of Unicode.</exception>
    public static string? TextOf(JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            throw new BackendFailure(BackendFault.NotUnderstood, "has a text that is no Unicode: write it again there.");
        }
    }
}
