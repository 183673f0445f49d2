using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Api.Requests;

namespace Cerver.Api.Runs;

/// <summary>Reads how long a run may take, in seconds.</summary>
internal sealed class RunTimeoutConverter : JsonConverter<double>
{
    private const double MinSeconds = 1;
    private const double MaxSeconds = 86_400;

    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var seconds) && seconds is >= MinSeconds and <= MaxSeconds
            ? seconds
            : throw new FieldException($"must be a number of seconds from {MinSeconds} to {MaxSeconds}.");

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
}
