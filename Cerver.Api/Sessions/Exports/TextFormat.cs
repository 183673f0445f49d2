using System.Buffers;
using System.Text.Json;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Exports;

/// <summary>Plain text. Only our own lines begin at the margin, so no entry can pass for another one.</summary>
internal sealed class TextFormat : TranscriptFormat
{
    public override string ContentType => "text/plain; charset=utf-8";

    public override string Extension => "txt";

    public override void WriteHead(IBufferWriter<byte> output, SessionRecord session)
    {
        output.Write("Session: "u8);
        output.WriteWord(session.SessionName);
        output.Write("\nId:      "u8);
        output.WriteText(session.SessionId);
        output.Write("\nCreated: "u8);
        output.WriteTime(session.CreatedAt);
        output.Write("\nEntries: "u8);
        output.WriteNumber(session.TranscriptTotal);
        output.Write("\n"u8);
    }

    public override void WriteEntry(IBufferWriter<byte> output, long position, TranscriptEntry entry)
    {
        output.Write("\n["u8);
        output.WriteNumber(position);
        output.Write("] "u8);
        if (entry.At is { } at)
        {
            output.WriteTime(at);
            output.Write(" "u8);
        }

        output.WriteText(ExportText.WordOf(entry.Role));
        if (entry.Kind != EntryKinds.Text)
        {
            output.Write(" "u8);
            output.WriteWord(entry.Kind);
        }

        WriteTool(output, entry);
        output.Write("\n"u8);
        if (!string.IsNullOrEmpty(entry.Content))
        {
            output.WriteLines(entry.Content, "    "u8, ExportText.AnyLineBreak);
        }

        if (entry.ToolInput is not null)
        {
            WriteInput(output, entry.ToolInput);
        }
    }

    private static void WriteTool(IBufferWriter<byte> output, TranscriptEntry entry)
    {
        if (entry.ToolName is not null)
        {
            output.Write(" "u8);
            output.WriteWord(entry.ToolName);
        }

        if (entry.ToolId is not null)
        {
            output.Write(" ("u8);
            output.WriteWord(entry.ToolId);
            output.Write(")"u8);
        }

        if (entry.IsError == true)
        {
            output.Write(" failed"u8);
        }
    }

    /// <summary>What a tool was called with is mostly a text of many lines, such as code, which is not legible as JSON.</summary>
    private static void WriteInput(IBufferWriter<byte> output, string input)
    {
        using var members = JsonDocument.Parse(input);
        foreach (var member in members.RootElement.EnumerateObject())
        {
            output.Write("    "u8);
            output.WriteWord(member.Name);
            output.Write(":\n"u8);
            output.WriteLines(
                member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : member.Value.GetRawText(), "        "u8, ExportText.AnyLineBreak);
        }
    }
}
