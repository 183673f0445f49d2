using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Secrets;

namespace Cerver.Tests.Secrets;

/// <summary>A source that has what the test says, and nothing for accounts that begin with <c>closed</c>.</summary>
internal sealed class ScriptedSource(string name, params string[] namesAndValues) : ISecretSource
{
    private readonly ConcurrentDictionary<string, string> _values =
        new(namesAndValues.Chunk(2).Select(static pair => KeyValuePair.Create(pair[0], pair[1])), StringComparer.Ordinal);

    private int _asked;

    public string Name => name;

    /// <summary>How many times a value was asked for.</summary>
    public int Asked => _asked;

    /// <summary>Whether it cannot be asked.</summary>
    public bool IsDown { get; set; }

    /// <summary>Whether it gives no answer.</summary>
    public bool Hangs { get; set; }

    /// <summary>A secret that it cannot be asked for, or null.</summary>
    public string? Lacking { get; set; }

    /// <summary>Has a secret, or with null has it no more.</summary>
    public string? this[string secret]
    {
        set => _ = value is null ? _values.TryRemove(secret, out _) : (_values[secret] = value) is not null;
    }

    public ValueTask<bool> IsOpenToAsync(string accountId, CancellationToken cancellationToken) => ValueTask.FromResult(!accountId.StartsWith("closed", StringComparison.Ordinal));

    public async ValueTask<Secret?> FetchAsync(string accountId, string secret, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _asked);
        if (Hangs)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        return IsDown || secret == Lacking
            ? throw new CerverException(CerverError.SecretBackendUnavailable, $"The source {Name} is down.")
            : _values.TryGetValue(secret, out var value) ? new Secret(value) : null;
    }

    public ValueTask<ImmutableArray<string>> ListAsync(string accountId, CancellationToken cancellationToken) => IsDown
        ? throw new CerverException(CerverError.SecretBackendUnavailable, $"The source {Name} is down.")
        : ValueTask.FromResult<ImmutableArray<string>>([.. _values.Keys]);

    public string HowToAdd(string name, bool isOpen) => $"Ask {Name}.";
}
