using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>What happens to an account's sessions, as events. Ids are times in microseconds since 1970.</summary>
internal static class AccountFrames
{
    /// <summary>The watching begins.</summary>
    public static EventFrame Ready(DateTimeOffset at) => new ReadyFrame(IdOf(at));

    /// <summary>A session changed.</summary>
    /// <param name="session">The session.</param>
    /// <param name="known">The latest activity that was told of.</param>
    public static EventFrame Of(SessionRecord session, DateTimeOffset known) => new SessionFrame(IdOf(known), session);

    /// <summary>The id of a moment.</summary>
    public static long IdOf(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private sealed class ReadyFrame(long id) : EventFrame(id)
    {
        public override ReadOnlySpan<byte> Event => "ready"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteEndObject();
        }
    }

    private sealed class SessionFrame(long id, SessionRecord session) : EventFrame(id)
    {
        public override ReadOnlySpan<byte> Event => "session"u8;

        public override void WriteData(Utf8JsonWriter writer) => JsonSerializer.Serialize(writer, session, AnswerJson.Default.SessionRecord);
    }
}
