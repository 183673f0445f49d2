using System.Text.Json;
using Cerver.Api.Errors;

namespace Cerver.Api.Streams;

/// <summary>A stream ends here for a reason that its reader should know.</summary>
/// <param name="id">Its position; that of the event before when coming back may help.</param>
/// <param name="refusal">The reason.</param>
internal sealed class ErrorFrame(long id, Refusal refusal) : EventFrame(id)
{
    public override ReadOnlySpan<byte> Event => "error"u8;

    public override void WriteData(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("error"u8, refusal.Body.Error);
        writer.WriteString("code"u8, refusal.Body.Code);
        if (refusal.Body.TraceId is { } traceId)
        {
            writer.WriteString("trace_id"u8, traceId);
        }

        writer.WriteEndObject();
    }
}
