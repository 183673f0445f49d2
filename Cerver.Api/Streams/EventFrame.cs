using System.Text.Json;

namespace Cerver.Api.Streams;

/// <summary>One event of a stream.</summary>
/// <param name="id">Its position. A client that comes back with it gets what is after it.</param>
internal abstract class EventFrame(long id)
{
    /// <summary>Its position.</summary>
    public long Id { get; } = id;

    /// <summary>What it is, a word of lower-case letters.</summary>
    public abstract ReadOnlySpan<byte> Event { get; }

    /// <summary>Writes the one JSON object that it says.</summary>
    public abstract void WriteData(Utf8JsonWriter writer);
}
