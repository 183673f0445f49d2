using System.Text.Json;
using Cerver.Sessions;
using Microsoft.OpenApi;

namespace Cerver.Api.Sessions;

/// <summary>One member of a session's record on the wire.</summary>
/// <param name="Name">Its camelCase name.</param>
/// <param name="Twin">Its snake_case name, or null when the two are the same.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Description">For the API reference.</param>
/// <param name="Write">Writes its value.</param>
internal sealed record SessionField(
    JsonEncodedText Name, JsonEncodedText? Twin, JsonSchemaType Type, string Description, Action<Utf8JsonWriter, SessionRecord> Write);

/// <summary>
/// A session's record on the wire. Some clients read camelCase and some snake_case, so every member of two words stands there under both
/// names. This table is what is written and what the API reference says.
/// </summary>
internal static class SessionFields
{
    private const JsonSchemaType OptionalText = JsonSchemaType.String | JsonSchemaType.Null;
    private const JsonSchemaType OptionalObject = JsonSchemaType.Object | JsonSchemaType.Null;

    /// <summary>The members, in the order in which they are written.</summary>
    public static ImmutableArray<SessionField> All { get; } =
    [
        Field("sessionId", JsonSchemaType.String, "UUIDv7, 36 characters.", static (json, session) => json.WriteStringValue(session.SessionId)),
        Field("sessionName", JsonSchemaType.String, "For people.", static (json, session) => json.WriteStringValue(session.SessionName)),
        Field(
            "status", JsonSchemaType.String, "`running`: something is up on its behalf; `idle`: nothing is, and it can go on; `ended`: closed for good.",
            static (json, session) => json.WriteStringValue(StatusWords.Of(session.Status))),
        Field("endReason", OptionalText, "Why it ended; `import_incomplete` while it is being imported, or when an import was cut short.", static (json, session) => json.WriteStringValue(EndReasonOf(session))),
        Field("sessionType", OptionalText, "As it was created.", static (json, session) => json.WriteStringValue(session.SessionType)),
        Field("harness", OptionalText, "The agent program that drives it.", static (json, session) => json.WriteStringValue(session.Harness)),
        Field("provider", JsonSchemaType.String, "Who provides its compute; `none` for a transcript alone.", static (json, session) => json.WriteStringValue(session.Provider)),
        Field("computeId", OptionalText, "The compute it runs on, or would on resume.", static (json, session) => json.WriteStringValue(session.ComputeId)),
        Field("sandboxId", OptionalText, "The sandbox attached to it; null unless it is running.", static (json, session) => json.WriteStringValue(SandboxOf(session))),
        Field("task", OptionalText, "What it is about.", static (json, session) => json.WriteStringValue(session.Task)),
        Field("workload", OptionalText, "A word of the caller's for the kind of work.", static (json, session) => json.WriteStringValue(session.Workload)),
        Field("requirements", OptionalObject, "As they were sent.", static (json, session) => WriteObject(json, session.Requirements)),
        Field("metadata", OptionalObject, "Notes of its callers.", static (json, session) => WriteObject(json, session.Metadata)),
        Field("metrics", OptionalObject, "What its compute took.", static (json, session) => WriteMetrics(json, session)),
        Field("parentSessionId", OptionalText, "The session that started it.", static (json, session) => json.WriteStringValue(session.ParentSessionId)),
        Field("previousSessionId", OptionalText, "The session it goes on from.", static (json, session) => json.WriteStringValue(session.PreviousSessionId)),
        Field("createdAt", JsonSchemaType.String, "When it was created.", static (json, session) => json.WriteStringValue(session.CreatedAt.UtcDateTime)),
        Field(
            "updatedAt", JsonSchemaType.String, "When something last happened in it; lists are in this order.",
            static (json, session) => json.WriteStringValue(session.UpdatedAt.UtcDateTime)),
        Field("messageCount", JsonSchemaType.Integer, "The same as `transcriptTotal`.", static (json, session) => json.WriteNumberValue(session.TranscriptTotal)),
        Field(
            "transcriptTotal", JsonSchemaType.Integer, "How many entries the whole transcript has, whatever part of it was asked for.",
            static (json, session) => json.WriteNumberValue(session.TranscriptTotal)),
    ];

    /// <summary>Writes every member into an object that is open.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, SessionRecord session)
    {
        foreach (var field in All)
        {
            writer.WritePropertyName(field.Name);
            field.Write(writer, session);
            if (field.Twin is { } twin)
            {
                writer.WritePropertyName(twin);
                field.Write(writer, session);
            }
        }
    }

    /// <summary>A session that is paused keeps its sandbox for later, but nothing is attached.</summary>
    public static string? SandboxOf(SessionRecord session) => session.Status == SessionStatus.Running ? session.SandboxId : null;

    /// <summary>Why a session ended, or why it is not whole.</summary>
    public static string? EndReasonOf(SessionRecord session) => PauseReasonOf(session) is null ? session.EndReason : null;

    /// <summary>Why its agent was paused, as the agent's relay said.</summary>
    public static string? PauseReasonOf(SessionRecord session) =>
        session.Status != SessionStatus.Ended && session.EndReason != EndReasons.ImportIncomplete ? session.EndReason : null;

    /// <summary>Writes what the compute of a session took.</summary>
    public static void WriteMetrics(Utf8JsonWriter writer, SessionRecord session)
    {
        var metrics = session.Metrics;
        writer.WriteStartObject();
        if (metrics.ProvisionTimeMs is { } provisionTimeMs)
        {
            writer.WriteNumber("provision_time_ms"u8, provisionTimeMs);
        }
        else
        {
            writer.WriteNull("provision_time_ms"u8);
        }

        writer.WriteNumber("run_count"u8, metrics.RunCount);
        writer.WriteNumber("run_time_ms"u8, metrics.RunTimeMs);
        if (PauseReasonOf(session) is { } reason)
        {
            writer.WriteString("pause_reason"u8, reason);
        }

        writer.WriteEndObject();
    }

    private static void WriteObject(Utf8JsonWriter writer, string? json)
    {
        if (json is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteRawValue(json, skipInputValidation: true);
        }
    }

    private static SessionField Field(string name, JsonSchemaType type, string description, Action<Utf8JsonWriter, SessionRecord> write)
    {
        var twin = JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
        return new(
            JsonEncodedText.Encode(name),
            string.Equals(twin, name, StringComparison.Ordinal) ? null : JsonEncodedText.Encode(twin),
            type,
            description,
            write);
    }
}
