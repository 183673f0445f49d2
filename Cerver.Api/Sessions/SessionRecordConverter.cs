using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>Writes a session's record as <see cref="SessionFields"/> has it.</summary>
internal sealed class SessionRecordConverter : JsonConverter<SessionRecord>
{
    public override SessionRecord Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Answers are only written.");

    public override void Write(Utf8JsonWriter writer, SessionRecord value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        SessionFields.WriteMembers(writer, value);
        writer.WriteEndObject();
    }
}
