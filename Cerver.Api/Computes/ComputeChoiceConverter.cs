using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Api.Requests;
using Cerver.Computes;

namespace Cerver.Api.Computes;

/// <summary>
/// Reads what a session should run on: null or <c>none</c>, a provider's name, a compute's id, or an object with one of them as its
/// <c>compute_id</c> or <c>provider</c>, of which the id says more.
/// </summary>
internal sealed class ComputeChoiceConverter : JsonConverter<ComputeChoice>
{
    private const string Rule =
        "must be null, 'none', a provider (local, e2b, vercel, cloudflare), a compute id from '/v2/computes', or an object with 'provider' or 'compute_id'.";

    /// <summary>Null is a choice; a field that is left out is none.</summary>
    public override bool HandleNull => true;

    public override ComputeChoice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadChoice(ref reader);

    public override void Write(Utf8JsonWriter writer, ComputeChoice value, JsonSerializerOptions options) =>
        throw new NotSupportedException("Requests are only read.");

    /// <summary>The choice that the reader stands on.</summary>
    /// <exception cref="FieldException">It is none of the forms.</exception>
    public static ComputeChoice ReadChoice(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Null => ComputeChoice.None,
        JsonTokenType.String => Choose(TextConverter.ReadText(ref reader)),
        JsonTokenType.StartObject => ReadObject(ref reader),
        _ => throw new FieldException(Rule),
    };

    private static ComputeChoice ReadObject(ref Utf8JsonReader reader)
    {
        string? computeId = null;
        string? provider = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("compute_id"u8);
            var isProvider = reader.ValueTextEquals("provider"u8);
            reader.Read();
            if (isId)
            {
                computeId = ReadWord(ref reader);
            }
            else if (isProvider)
            {
                provider = ReadWord(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return Choose(computeId ?? provider ?? throw new FieldException(Rule));
    }

    private static string? ReadWord(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.String => TextConverter.ReadText(ref reader),
        _ => throw new FieldException(Rule),
    };

    private static ComputeChoice Choose(string word) => ComputeWords.Find(word) ?? throw new FieldException(Rule);
}

/// <summary>
/// Reads what a session should be resumed on. Clients send null for what they leave out, so it means as before; no compute at all is no way
/// to resume.
/// </summary>
internal sealed class ResumeComputeConverter : JsonConverter<ComputeChoice>
{
    public override ComputeChoice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var choice = ComputeChoiceConverter.ReadChoice(ref reader);
        return choice.Kind == ComputeChoiceKind.None
            ? throw new FieldException("must name compute, or be left out to take what the session had.")
            : choice;
    }

    public override void Write(Utf8JsonWriter writer, ComputeChoice value, JsonSerializerOptions options) =>
        throw new NotSupportedException("Requests are only read.");
}
