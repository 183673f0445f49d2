using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cerver.Api.Requests;

/// <summary>Reads RFC 3339: a date, a time of day and an offset from UTC. A time without an offset would be a guess.</summary>
internal sealed class TimestampConverter : JsonConverter<DateTimeOffset>
{
    private const string Rule = "must be a time as RFC 3339 writes it, such as 2026-05-01T12:00:00Z.";

    /// <summary>The shortest: seconds and <c>Z</c>.</summary>
    private const int MinLength = 20;

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String || !reader.TryGetDateTimeOffset(out var time))
        {
            throw new FieldException(Rule);
        }

        var text = reader.GetString()!;
        var hasOffset = text.Length >= MinLength && (text[^1] == 'Z' || text[^6] is '+' or '-');
        return hasOffset ? time.ToUniversalTime() : throw new FieldException(Rule);
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value.UtcDateTime);
}
