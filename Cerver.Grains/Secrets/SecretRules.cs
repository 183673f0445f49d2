using System.Buffers;
using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets;

/// <summary>What may be asked for, and what is said when there is none. Pure.</summary>
internal static class SecretRules
{
    /// <summary>How many secrets a run may have in its environment.</summary>
    public const int MaxInjected = 50;

    /// <summary>How many bytes their values may have together: programs can be given so much and not a lot more.</summary>
    private const int MaxInjectedBytes = 256 * 1024;

    private const int MaxNameCharacters = 128;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <summary>Whether a text can be a secret's name at all.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= MaxNameCharacters && (char.IsAsciiLetter(text[0]) || text[0] == '_') && text.AsSpan().IndexOfAnyExcept(NameCharacters) < 0;

    /// <summary>Refuses what cannot be a name, without repeating it: somebody may have sent a value.</summary>
    public static void CheckName(string name)
    {
        if (!IsName(name))
        {
            throw new CerverException(
                CerverError.InvalidRequest,
                $"'name' must begin with a letter or '_' and have at most {MaxNameCharacters} characters, all of them letters, digits, '_', '.' or '-'.",
                "name");
        }
    }

    /// <summary>Refuses names that cannot be put into the environment of a run.</summary>
    public static void CheckInjected(ImmutableArray<string> names)
    {
        if (names.Length > MaxInjected)
        {
            throw new CerverException(CerverError.InvalidRequest, $"'secrets' has {names.Length} names; a run may have at most {MaxInjected}.", "secrets");
        }

        if (!names.All(IsName))
        {
            throw new CerverException(
                CerverError.InvalidRequest, "'secrets' must have names of secrets: a letter or '_', then at most 127 letters, digits, '_', '.' or '-'.", "secrets");
        }
    }

    /// <summary>Why a secret cannot be one more variable of a run, or null when it can.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="others">The variables that the run has already.</param>
    public static CerverException? RefuseVariable(FetchedSecret secret, IEnumerable<FetchedSecret> others) =>
        secret.Value.HasZero
            ? new CerverException(CerverError.InvalidRequest, $"The secret '{secret.Name}' has a zero character, which no variable can have. Fetch it instead.", "secrets")
        : others.Sum(static other => other.Value.Bytes) + secret.Value.Bytes > MaxInjectedBytes
            ? new CerverException(CerverError.PayloadTooLarge, $"The secrets of a run may have {MaxInjectedBytes} bytes together. Name fewer of them.", "secrets")
        : null;

    /// <summary>The refusal when no source had a secret.</summary>
    /// <param name="name">What was asked for.</param>
    /// <param name="sources">All sources.</param>
    /// <param name="open">Those of them that are open to the account, and were asked.</param>
    public static CerverException NotFound(string name, IReadOnlyCollection<ISecretSource> sources, IReadOnlyCollection<ISecretSource> open)
    {
        var finding = open.Count == 0
            ? "No source of secrets is open to this account."
            : $"There is no secret '{name}'; asked: {string.Join(", ", open.Select(static source => source.Name))}.";
        return new(CerverError.SecretNotFound, string.Join(' ', [finding, .. sources.Select(source => source.HowToAdd(name, open.Contains(source)))]));
    }
}
