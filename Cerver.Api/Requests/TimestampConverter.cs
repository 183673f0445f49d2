using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cerver.Api.Requests;

/// <summary>Reads RFC 3339.</summary>
internal sealed class TimestampConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TimestampText.TryRead(ref reader, out var time) ? time : throw new FieldException(TimestampText.Rule);

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value.UtcDateTime);
}
