using System.Text;
using System.Text.Json;

namespace Cerver.Bench.Histories;

/// <summary>Reads what events of a stream say.</summary>
internal static class EventData
{
    /// <summary>Whether this is output, on either channel.</summary>
    public static bool IsOutput(StreamEvent streamEvent) => streamEvent.Kind is "stdout" or "stderr";

    /// <summary>Whether this ends a run.</summary>
    public static bool IsEnd(StreamEvent streamEvent) => streamEvent.Kind is "exit" or "error";

    /// <summary>A text among what an event says, or null.</summary>
    public static string? TextOf(StreamEvent streamEvent, string name)
    {
        using var data = JsonDocument.Parse(streamEvent.Data);
        return data.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    /// <summary>The entry that an event brings and its index.</summary>
    public static (long Index, LogEntry Entry) EntryOf(StreamEvent streamEvent)
    {
        using var data = JsonDocument.Parse(streamEvent.Data);
        return (data.RootElement.GetProperty("index").GetInt64(), EntryOf(data.RootElement.GetProperty("entry")));
    }

    /// <summary>An entry as the gateway writes it.</summary>
    public static LogEntry EntryOf(JsonElement entry) => new(
        TextOf(entry, "at") ?? string.Empty,
        TextOf(entry, "role") ?? string.Empty,
        TextOf(entry, "kind") ?? string.Empty,
        TextOf(entry, "content"),
        TextOf(entry, "tool_id"));

    /// <summary>What was printed on one channel, in UTF-8.</summary>
    public static string OutputOf(IEnumerable<StreamEvent> events, string channel)
    {
        var bytes = new List<byte>();
        foreach (var printed in events.Where(printed => printed.Kind == channel))
        {
            bytes.AddRange(TextOf(printed, "data_base64") is { } base64
                ? Convert.FromBase64String(base64)
                : Encoding.UTF8.GetBytes(TextOf(printed, "data") ?? string.Empty));
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static string? TextOf(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
