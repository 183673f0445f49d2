using System.Buffers;
using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Exports;

/// <summary>One JSON object a line: the session's record, then each entry as it is in the transcript, with its position.</summary>
internal sealed class JsonLinesFormat : TranscriptFormat
{
    public override string ContentType => "application/x-ndjson";

    public override string Extension => "jsonl";

    public override void WriteHead(IBufferWriter<byte> output, SessionRecord session)
    {
        using (var writer = new Utf8JsonWriter(output, JsonAnswer.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("session"u8);
            SessionFields.WriteMembers(writer, session);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    public override void WriteEntry(IBufferWriter<byte> output, long position, TranscriptEntry entry)
    {
        using (var writer = new Utf8JsonWriter(output, JsonAnswer.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, position);
            EntryWriter.WriteMembers(writer, entry);
            writer.WriteEndObject();
        }

        output.Write("\n"u8);
    }
}
