using System.Text.Json;
using System.Text.Json.Nodes;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Importing;

/// <summary>Reads what <see cref="Exports.JsonLinesFormat"/> writes: a line with the record, then a line for each entry.</summary>
internal sealed class CerverParser(ImportedTranscript transcript) : ImportParser(transcript)
{
    public override string Format => Cerver;

    /// <summary>Whether a line is one of this format.</summary>
    public static bool Recognizes(JsonElement line) =>
        line.Object("session")?.Text("sessionId") is not null || (line.Member("index")?.ValueKind == JsonValueKind.Number && line.Text("role") is not null);

    public override bool Read(JsonElement line) => line.Object("session") is { } session ? ReadHead(session) : ReadEntry(line);

    private bool ReadHead(JsonElement session)
    {
        Transcript.Note("original_session_id", session.Text("sessionId"));
        Transcript.Note("original_parent_session_id", session.Text("parentSessionId"));
        Transcript.Title ??= session.Text("sessionName");
        Transcript.Harness ??= session.Text("harness");
        Transcript.Task ??= session.Text("task");
        Transcript.Workload ??= session.Text("workload");
        Transcript.Requirements ??= session.Object("requirements") is { } requirements ? ImportJson.ToolInput(requirements) : null;
        Transcript.Metadata ??= session.Object("metadata") is { } metadata ? JsonNode.Parse(ImportJson.ToolInput(metadata))!.AsObject() : null;
        Transcript.CreatedAt ??= session.Time("createdAt");
        Transcript.UpdatedAt ??= session.Time("updatedAt");
        Transcript.IsEnded = session.Text("status") == "ended";
        Transcript.EndReason = Transcript.IsEnded ? session.Text("endReason") : null;
        return true;
    }

    private bool ReadEntry(JsonElement line)
    {
        var content = line.Member("content");
        var input = line.Member("tool_input");
        if (RoleOf(line.Text("role")) is not { } role
            || content is not (null or { ValueKind: JsonValueKind.String or JsonValueKind.Null })
            || input is not (null or { ValueKind: JsonValueKind.Object or JsonValueKind.Null }))
        {
            return false;
        }

        var isError = line.Member("is_error") is { ValueKind: JsonValueKind.True or JsonValueKind.False } said ? said.GetBoolean() : (bool?)null;
        var entry = new TranscriptEntry(
            line.Time("at"), role, line.Text("kind") ?? EntryKinds.Text, content?.GetString(), line.Text("tool_id"), line.Text("tool_name"),
            input is { ValueKind: JsonValueKind.Object } given ? ImportJson.ToolInput(given) : null, isError);
        Transcript.AddAsItIs(entry);
        return true;
    }

    private static EntryRole? RoleOf(string? word) => word switch
    {
        "user" => EntryRole.User,
        "assistant" => EntryRole.Assistant,
        "tool" => EntryRole.Tool,
        "system" => EntryRole.System,
        _ => null,
    };
}
