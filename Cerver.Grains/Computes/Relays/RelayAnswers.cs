using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>Understands what a relay answers. It is the account's own and may say anything.</summary>
internal static class RelayAnswers
{
    private const int MaxMessageCharacters = 500;
    private const int MaxFieldCharacters = 64;

    /// <summary>The body of an answer, unless it is a refusal.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="refusals">What may be refused for another reason than that the machine did not do its part.</param>
    /// <exception cref="CerverException">The refusal.</exception>
    public static string? Require(MachineAnswer answer, ImmutableArray<CerverError> refusals) =>
        IsTaken(answer) ? answer.Body : throw Refusal(answer, refusals);

    /// <summary>What a relay says against a request, a sentence, or null when it took it.</summary>
    public static string? FindRefusal(MachineAnswer answer) => IsTaken(answer) ? null : WordsOf(ReadRefusal(answer)) is { } said ? $"The machine said: {said}" : Silent(answer);

    /// <summary>Reads the body of an answer.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when it is something else.</exception>
    public static T Read<T>(string? body, JsonTypeInfo<T> type)
    {
        try
        {
            return (body is null ? default : JsonSerializer.Deserialize(body, type)) ?? throw Unreadable();
        }
        catch (JsonException)
        {
            throw Unreadable();
        }
    }

    /// <summary>Whether a request was refused because its sandbox is not up, so that nothing was done.</summary>
    public static bool IsSandboxDown(MachineAnswer answer) => !IsTaken(answer) && ReadRefusal(answer)?.Error == RelayWords.Closed;

    /// <summary>What is said of an answer that makes no sense.</summary>
    public static CerverException Unreadable() => new(CerverError.ProviderUnavailable, "The machine answered with something that its gateway does not understand.");

    private static bool IsTaken(MachineAnswer answer) => answer.Status is >= 200 and < 300;

    private static string? WordsOf(RelayRefusal? refusal) => refusal?.Message is { Length: > 0 and <= MaxMessageCharacters } said ? said : null;

    private static string Silent(MachineAnswer answer) => $"The machine answered with {answer.Status}.";

    private static CerverException Refusal(MachineAnswer answer, ImmutableArray<CerverError> refusals)
    {
        var refusal = ReadRefusal(answer);
        var message = WordsOf(refusal) ?? Silent(answer);
        var code = RelayRefusals.Find(refusal?.Error);
        return refusals.Contains(code)
            ? new CerverException(code, message, code == CerverError.InvalidRequest && refusal?.Field is { Length: <= MaxFieldCharacters } field ? field : null)
            : new CerverException(CerverError.ProviderUnavailable, message);
    }

    private static RelayRefusal? ReadRefusal(MachineAnswer answer)
    {
        try
        {
            return answer.Body is null ? null : JsonSerializer.Deserialize(answer.Body, RelayJson.Default.RelayRefusal);
        }
        catch (JsonException)
        {
            // Another relay than ours says it in other words.
            return null;
        }
    }
}
