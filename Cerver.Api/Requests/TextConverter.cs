using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cerver.Api.Requests;

/// <summary>A field has a value that its reader does not take. The message goes on where the name of the field ends.</summary>
internal sealed class FieldException(string rule) : JsonException(rule);

/// <summary>Reads a text that any of our databases can keep: valid Unicode without U+0000, which PostgreSQL cannot store.</summary>
internal sealed class TextConverter : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadText(ref reader);

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Check(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    /// <summary>The text that the reader stands on.</summary>
    /// <exception cref="FieldException">It is not a string, or holds U+0000.</exception>
    public static string ReadText(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String ? Check(reader.GetString()!) : throw new FieldException("must be a JSON string.");

    /// <summary>Refuses U+0000.</summary>
    public static string Check(string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? throw new FieldException("must not contain the character U+0000.") : text;
}
