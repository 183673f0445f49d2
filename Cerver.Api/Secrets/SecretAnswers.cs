using System.Text.Json.Serialization;
using Cerver.Secrets;

namespace Cerver.Api.Secrets;

/// <summary>The secrets that an account can fetch.</summary>
public sealed record SecretListAnswer
{
    /// <summary>Their names and where each is, by name. Never a value.</summary>
    public required ImmutableArray<SecretNameAnswer> Secrets { get; init; }
}

/// <summary>A secret that there is.</summary>
public sealed record SecretNameAnswer
{
    /// <summary>What to fetch it by.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is: <c>env</c> for the environment of the gateway.</summary>
    public required string Source { get; init; }

    internal static SecretNameAnswer Of(SecretName secret) => new() { Name = secret.Name, Source = secret.Source };
}

/// <summary>A secret with its value.</summary>
/// <remarks>No record: a record shows its members to whoever writes it into a text.</remarks>
public sealed class SecretAnswer
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The value.</summary>
    public required string Value { get; init; }

    /// <summary>Where it is: <c>env</c> for the environment of the gateway.</summary>
    public required string Source { get; init; }

    /// <summary>That the value is too short to be redacted; left out when it is redacted wherever the gateway writes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }

    internal static SecretAnswer Of(FetchedSecret secret) => new()
    {
        Name = secret.Name,
#pragma warning disable RS0030 // The caller asked for it and may have it.
        Value = secret.Value.Reveal(),
#pragma warning restore RS0030
        Source = secret.Source,
        Warning = secret.IsRedacted
            ? null
            : $"The value has fewer than {Secret.MinRedactedCharacters} characters and is not redacted from transcripts and output. Write it nowhere, and have a longer one made.",
    };
}
