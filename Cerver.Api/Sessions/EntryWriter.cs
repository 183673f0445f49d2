using System.Diagnostics;
using System.Text.Json;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>Writes entries of a transcript. What an entry does not have is left out, but for its content, which is then null.</summary>
internal static class EntryWriter
{
    private static readonly JsonEncodedText At = JsonEncodedText.Encode("at");
    private static readonly JsonEncodedText Role = JsonEncodedText.Encode("role");
    private static readonly JsonEncodedText Kind = JsonEncodedText.Encode("kind");
    private static readonly JsonEncodedText Content = JsonEncodedText.Encode("content");
    private static readonly JsonEncodedText ToolId = JsonEncodedText.Encode("tool_id");
    private static readonly JsonEncodedText ToolName = JsonEncodedText.Encode("tool_name");
    private static readonly JsonEncodedText ToolInput = JsonEncodedText.Encode("tool_input");
    private static readonly JsonEncodedText IsError = JsonEncodedText.Encode("is_error");

    private static readonly JsonEncodedText User = JsonEncodedText.Encode("user");
    private static readonly JsonEncodedText Assistant = JsonEncodedText.Encode("assistant");
    private static readonly JsonEncodedText Tool = JsonEncodedText.Encode("tool");
    private static readonly JsonEncodedText System = JsonEncodedText.Encode("system");

    /// <summary>Writes one entry.</summary>
    public static void Write(Utf8JsonWriter writer, TranscriptEntry entry)
    {
        writer.WriteStartObject();
        WriteMembers(writer, entry);
        writer.WriteEndObject();
    }

    /// <summary>Writes what an entry has into an object that is open.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, TranscriptEntry entry)
    {
        if (entry.At is { } at)
        {
            writer.WriteString(At, at.UtcDateTime);
        }

        writer.WriteString(Role, WordOf(entry.Role));
        writer.WriteString(Kind, entry.Kind);
        writer.WriteString(Content, entry.Content);
        WriteTool(writer, entry);
    }

    /// <summary>The word for who speaks.</summary>
    public static JsonEncodedText WordOf(EntryRole role) => role switch
    {
        EntryRole.User => User,
        EntryRole.Assistant => Assistant,
        EntryRole.Tool => Tool,
        EntryRole.System => System,
        _ => throw new UnreachableException($"No word for {role}."),
    };

    private static void WriteTool(Utf8JsonWriter writer, TranscriptEntry entry)
    {
        if (entry.ToolId is not null)
        {
            writer.WriteString(ToolId, entry.ToolId);
        }

        if (entry.ToolName is not null)
        {
            writer.WriteString(ToolName, entry.ToolName);
        }

        if (entry.ToolInput is not null)
        {
            writer.WritePropertyName(ToolInput);
            writer.WriteRawValue(entry.ToolInput, skipInputValidation: true);
        }

        if (entry.IsError is { } isError)
        {
            writer.WriteBoolean(IsError, isError);
        }
    }
}
