using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cerver.Api.Requests;

/// <summary>Reads how many there are of something.</summary>
internal sealed class CountConverter : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count) && count >= 0
            ? count
            : throw new FieldException("must be a whole number from 0 on.");

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
}
