using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cerver.Secrets;

/// <summary>A value that is handed on and never shown: as text, in JSON and in a log it is <c>[redacted]</c>.</summary>
/// <remarks>It is kept nowhere. Whoever answers the caller who may have it says <c>Reveal</c>, and nobody else does.</remarks>
[GenerateSerializer, Immutable, Alias("cerver.secret.value"), JsonConverter(typeof(RedactedSecretConverter))]
public sealed record Secret
{
    /// <summary>What is shown in the place of a value.</summary>
    public const string Redacted = "[redacted]";

    /// <summary>The length from which on a value is redacted, in characters without white space around them.</summary>
    public const int MinRedactedCharacters = 8;

    [Id(0)]
    private readonly string _value;

    /// <summary>Takes a value in.</summary>
    public Secret(string value) => _value = value;

    /// <summary>How many characters it has, without white space around them.</summary>
    public int Length => _value.AsSpan().Trim().Length;

    /// <summary>How many bytes it has in UTF-8.</summary>
    public int Bytes => Encoding.UTF8.GetByteCount(_value);

    /// <summary>Whether it has a zero character, which no environment variable can have.</summary>
    public bool HasZero => _value.Contains('\0', StringComparison.Ordinal);

    /// <summary>The value. Its uses outside of tests are counted by hand: each needs a reason that stands beside it, see <c>BannedSymbols.Secrets.txt</c>.</summary>
    public string Reveal() => _value;

    /// <summary>Always <see cref="Redacted"/>.</summary>
    public override string ToString() => Redacted;
}

/// <summary>Writes of a secret only that it is one.</summary>
internal sealed class RedactedSecretConverter : JsonConverter<Secret>
{
    /// <inheritdoc/>
    public override Secret Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("A secret is not in any JSON, so none is read from it.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) => writer.WriteStringValue(Secret.Redacted);
}
