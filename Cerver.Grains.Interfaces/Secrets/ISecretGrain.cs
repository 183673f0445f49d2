using Cerver.Errors;
using Orleans.Concurrency;

namespace Cerver.Secrets;

/// <summary>The secrets of one account, whatever source each is in. It keeps none, and any number of activations serve side by side.</summary>
/// <remarks>Keyed by <see cref="SecretKey"/>. In a cluster it asks the sources of the silo that it is on, so all silos need the same.</remarks>
[Alias("cerver.secrets"), GrainInterfaceType("cerver.secrets")]
public interface ISecretGrain : IGrainWithStringKey
{
    /// <summary>
    /// Fetches a secret from the first source that has it. With a session, that transcript notes who asked for what before the value is
    /// given away, and nothing is given away when it cannot. Repeating it fetches and notes again.
    /// </summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SecretNotFound"/>; <see cref="CerverError.SecretBackendUnavailable"/> when a source cannot be asked, which may take seconds to find out;
    /// <see cref="CerverError.InvalidRequest"/> for what cannot be a name;
    /// <see cref="CerverError.NotFound"/> or <see cref="CerverError.SessionEnded"/> when nothing can be noted in the session, which is found
    /// before any source is asked.
    /// </exception>
    [Alias("fetch"), ResponseTimeout("00:00:20")]
    Task<FetchedSecret> FetchAsync(FetchSecret request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Gives a session what is put into the environment of a run. What was asked for is on record, as with <see cref="FetchAsync"/>; the session itself
    /// notes it in its transcript, also when the answer is a refusal.
    /// </summary>
    [Alias("inject"), ResponseTimeout("00:00:30")]
    Task<SecretInjection> InjectAsync(InjectSecrets request, CancellationToken cancellationToken = default);

    /// <summary>Which secrets there are, by name. Of those that several sources have, the one that would be fetched.</summary>
    [Alias("list"), ReadOnly, ResponseTimeout("00:00:20")]
    Task<ImmutableArray<SecretName>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Who asked for secrets of the account and what came of it, the newest first.</summary>
    [Alias("list-accesses"), ReadOnly]
    Task<SecretAccessPage> ListAccessesAsync(SecretAccessFilter filter, CancellationToken cancellationToken = default);
}

/// <summary>Asks for a secret.</summary>
/// <param name="Name">A letter or <c>_</c>, then at most 127 more of letters, digits, <c>_</c>, <c>.</c> and <c>-</c>.</param>
/// <param name="SessionId">The session whose transcript notes the access, or null.</param>
/// <param name="Key">The API key that asks, masked.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.fetch")]
public sealed record FetchSecret(
    [property: Id(0)] string Name,
    [property: Id(1)] string? SessionId = null,
    [property: Id(2)] string Key = "");

/// <summary>Asks for what is put into the environment of a run.</summary>
/// <param name="Names">The names, at most 50.</param>
/// <param name="SessionId">The session.</param>
/// <param name="RunId">The run.</param>
/// <param name="Key">The API key that asks, masked.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.inject")]
public sealed record InjectSecrets(
    [property: Id(0)] ImmutableArray<string> Names,
    [property: Id(1)] string SessionId,
    [property: Id(2)] string RunId,
    [property: Id(3)] string Key);

/// <summary>What a run gets.</summary>
/// <param name="Accesses">What was asked for, to be noted. With a refusal it ends with the one that it is about.</param>
/// <param name="Secrets">All that was asked for; none with a refusal.</param>
/// <param name="Refusal">Why the run cannot have them, or null.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.injection")]
public sealed record SecretInjection(
    [property: Id(0)] ImmutableArray<SecretAccess> Accesses,
    [property: Id(1)] ImmutableArray<FetchedSecret> Secrets,
    [property: Id(2)] CerverException? Refusal);

/// <summary>A secret that was fetched.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">The value.</param>
/// <param name="Source">The word of the source that had it, such as <c>env</c>.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.fetched")]
public sealed record FetchedSecret(
    [property: Id(0)] string Name,
    [property: Id(1)] Secret Value,
    [property: Id(2)] string Source)
{
    /// <summary>Whether the value is redacted wherever the gateway writes. Shorter ones stand in texts by chance.</summary>
    public bool IsRedacted => Value.Length >= Secret.MinRedactedCharacters;
}

/// <summary>A secret that there is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">The word of the source that has it.</param>
[GenerateSerializer, Immutable, Alias("cerver.secret.name")]
public sealed record SecretName(
    [property: Id(0)] string Name,
    [property: Id(1)] string Source);

/// <summary>The grain key of an account's secrets.</summary>
public static class SecretKey
{
    private const string Prefix = "secrets:";

    /// <summary>The key of one account's secrets.</summary>
    public static string For(string accountId) => $"{Prefix}{accountId}";

    /// <summary>The account that a key names.</summary>
    public static string Parse(string key) => key[Prefix.Length..];
}
