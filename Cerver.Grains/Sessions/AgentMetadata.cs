using System.Text.Json.Nodes;
using Cerver.Computes;
using Cerver.Grains.Computes.Machines;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>What a session and the agent that a machine drives for it know of each other: it is in the session's metadata. Pure.</summary>
internal static class AgentMetadata
{
    /// <summary>What the machine is to know of a session, a JSON object. How the machine reaches the gateway the front door adds.</summary>
    public static string Of(SessionRecord record)
    {
        var metadata = Parse(record.Metadata);
        foreach (var (name, value) in new[]
                 {
                     ("task", record.Task), ("workload", record.Workload), ("session_name", record.SessionName), ("cerver_session_id", record.SessionId),
                 })
        {
            if (value is not null)
            {
                metadata[name] = value;
            }
        }

        return metadata.ToJsonString();
    }

    /// <summary>What the user says, with what the agent program needs to go on with the conversation.</summary>
    public static TellAgent Input(SessionRecord record, string text)
    {
        var metadata = Parse(record.Metadata);
        return new(text, Text(metadata, "cli_session_id"), Text(metadata, "cli_tool"), Text(metadata, "working_dir"));
    }

    /// <summary>The record as it may be stored. Callers send tokens along that are for the machine alone.</summary>
    public static SessionRecord WithoutTokens(SessionRecord record) => SessionComputes.IsOnMachine(record) && record.Metadata is { } metadata
        ? record with { Metadata = MachineRules.WithoutTokens(metadata) }
        : record;

    private static JsonObject Parse(string? metadata) => metadata is null ? [] : JsonNode.Parse(metadata)!.AsObject();

    private static string? Text(JsonObject metadata, string name) => metadata[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
