using System.Text.Json;

namespace Cerver.Api.Streams;

/// <summary>Events that were there and are gone. What is missing is said, never passed over in silence.</summary>
/// <param name="from">The position of the first that is missing.</param>
/// <param name="to">The position of the last; the id of this event, since a client that comes back with it misses nothing more.</param>
internal sealed class GapFrame(long from, long to) : EventFrame(id: to)
{
    public override ReadOnlySpan<byte> Event => "gap"u8;

    public override void WriteData(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("from"u8, from);
        writer.WriteNumber("to"u8, Id);
        writer.WriteEndObject();
    }
}
