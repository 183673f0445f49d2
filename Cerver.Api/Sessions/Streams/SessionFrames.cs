using System.Diagnostics;
using System.Text.Json;
using Cerver.Api.Runs;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>What happens in a session, as events. Ids are the positions in its one order.</summary>
internal static class SessionFrames
{
    /// <summary>The frame of an event.</summary>
    public static EventFrame Of(string sessionId, SessionEvent happened) => happened switch
    {
        EntryAdded added => new EntryFrame(added),
        StatusChanged changed => new StatusFrame(changed),
        RunBegan began => RunFrames.Began(began.Position, began.RunId, sessionId),
        RunPrinted printed => RunFrames.Printed(printed.Position, printed.Chunk, printed.RunId),
        RunEnded ended => RunFrames.Ended(ended.Position, ended.Run, ended.Run.RunId),
        _ => throw new UnreachableException($"No frame for {happened.GetType()}."),
    };

    private sealed class EntryFrame(EntryAdded added) : EventFrame(added.Position)
    {
        public override ReadOnlySpan<byte> Event => "entry"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, added.Index);
            writer.WritePropertyName("entry"u8);
            EntryWriter.Write(writer, added.Entry);
            writer.WriteEndObject();
        }
    }

    private sealed class StatusFrame(StatusChanged changed) : EventFrame(changed.Position)
    {
        public override ReadOnlySpan<byte> Event => "status"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteString("status"u8, StatusWords.Of(changed.Status));
            writer.WriteString("end_reason"u8, changed.EndReason);
            writer.WriteEndObject();
        }
    }
}
