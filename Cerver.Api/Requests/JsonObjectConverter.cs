using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Api.Answers;

namespace Cerver.Api.Requests;

/// <summary>
/// Reads a JSON object that is kept as it is, into its shortest text. Only what every database and every reader after us understands gets
/// in: valid Unicode without U+0000, numbers that a double can hold, no name twice in one object.
/// </summary>
internal sealed class JsonObjectConverter : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FieldException("must be a JSON object.");
        }

        using var buffer = new PooledBuffer();
        using var writer = new Utf8JsonWriter(buffer, JsonAnswer.WriterOptions);
        CopyObject(ref reader, writer);
        writer.Flush();
        return Encoding.UTF8.GetString(buffer.Written.Span);
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteRawValue(value, skipInputValidation: true);

    /// <summary>The reader bounds how deep this goes.</summary>
    private static void CopyObject(ref Utf8JsonReader reader, Utf8JsonWriter writer)
    {
        HashSet<string>? names = null;
        writer.WriteStartObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = TextConverter.Check(reader.GetString()!);
            names ??= new HashSet<string>(StringComparer.Ordinal);
            if (!names.Add(name))
            {
                throw new FieldException("has an object with the same member twice.");
            }

            writer.WritePropertyName(name);
            reader.Read();
            CopyValue(ref reader, writer);
        }

        writer.WriteEndObject();
    }

    private static void CopyValue(ref Utf8JsonReader reader, Utf8JsonWriter writer)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                CopyObject(ref reader, writer);
                break;
            case JsonTokenType.StartArray:
                writer.WriteStartArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    CopyValue(ref reader, writer);
                }

                writer.WriteEndArray();
                break;
            case JsonTokenType.String:
                writer.WriteStringValue(TextConverter.ReadText(ref reader));
                break;
            case JsonTokenType.Number:
                CopyNumber(ref reader, writer);
                break;
            default:
                CopyLiteral(reader.TokenType, writer);
                break;
        }
    }

    private static void CopyNumber(ref Utf8JsonReader reader, Utf8JsonWriter writer)
    {
        if (!reader.TryGetDouble(out var number) || !double.IsFinite(number))
        {
            throw new FieldException("contains a number too large for a double.");
        }

        writer.WriteRawValue(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan, skipInputValidation: true);
    }

    private static void CopyLiteral(JsonTokenType token, Utf8JsonWriter writer)
    {
        if (token == JsonTokenType.Null)
        {
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteBooleanValue(token == JsonTokenType.True);
        }
    }
}
