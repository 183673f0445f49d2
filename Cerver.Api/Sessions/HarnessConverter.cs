using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Api.Requests;

namespace Cerver.Api.Sessions;

/// <summary>Reads a harness: its word, or an object with the word as its <c>type</c>.</summary>
internal sealed class HarnessConverter : JsonConverter<string>
{
    private const string Rule = "must be a word, or an object with the word as its 'type'.";

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return TextConverter.ReadText(ref reader);
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FieldException(Rule);
        }

        string? word = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            reader.Read();
            if (isType)
            {
                word = reader.TokenType == JsonTokenType.String ? TextConverter.ReadText(ref reader) : throw new FieldException(Rule);
            }
            else
            {
                reader.Skip();
            }
        }

        return word ?? throw new FieldException(Rule);
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
