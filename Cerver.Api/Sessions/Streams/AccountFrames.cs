using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>What happens to an account's sessions, as events. Ids are the numbers of changes.</summary>
internal static class AccountFrames
{
    /// <summary>The watching begins after a change.</summary>
    public static EventFrame Ready(long change) => new ReadyFrame(change);

    /// <summary>A session changed.</summary>
    public static EventFrame Of(ChangedSession changed) => new SessionFrame(changed);

    private sealed class ReadyFrame(long id) : EventFrame(id)
    {
        public override ReadOnlySpan<byte> Event => "ready"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteEndObject();
        }
    }

    private sealed class SessionFrame(ChangedSession changed) : EventFrame(changed.Change)
    {
        public override ReadOnlySpan<byte> Event => "session"u8;

        public override void WriteData(Utf8JsonWriter writer) => JsonSerializer.Serialize(writer, changed.Session, AnswerJson.Default.SessionRecord);
    }
}
