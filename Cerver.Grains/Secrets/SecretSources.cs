using Cerver.Errors;
using Cerver.Secrets;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets;

/// <summary>All sources of secrets as one. What backends gave is kept in memory for a while, and nowhere else.</summary>
internal sealed class SecretSources(IEnumerable<ISecretSource> sources, IOptions<SecretOptions> options, TimeProvider time)
{
    private readonly ISecretSource[] _sources = [.. sources];
    private readonly SecretCache _cache = new(options.Value.CacheLifetime, time);

    /// <summary>Looks for a secret in the sources that are open to the account, in their order.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SecretBackendUnavailable"/> when one of them that had to be asked could not be.</exception>
    public async Task<SecretFinding> FindAsync(string accountId, string name, CancellationToken cancellationToken)
    {
        var asked = new List<ISecretSource>();
        CerverException? unavailable = null;
        foreach (var source in options.Value.Sort(accountId, _sources))
        {
            try
            {
                if (!await source.IsOpenToAsync(accountId, cancellationToken))
                {
                    continue;
                }

                asked.Add(source);
                if (await FetchAsync(source, accountId, name, cancellationToken) is { } value)
                {
                    return new SecretFinding(new FetchedSecret(name, value, source.Name), asked);
                }
            }
            catch (CerverException failure) when (failure.Code == CerverError.SecretBackendUnavailable && options.Value.AsksNextWhenUnavailable)
            {
                unavailable ??= failure;
            }
        }

        return unavailable is null ? new SecretFinding(Found: null, asked) : throw unavailable;
    }

    /// <summary>The names that an account can fetch, and from where, by name.</summary>
    /// <inheritdoc cref="FindAsync" path="/exception"/>
    public async Task<ImmutableArray<SecretName>> ListAsync(string accountId, CancellationToken cancellationToken)
    {
        var names = new List<SecretName>();
        foreach (var source in options.Value.Sort(accountId, _sources))
        {
            if (await source.IsOpenToAsync(accountId, cancellationToken))
            {
                names.AddRange((await source.ListAsync(accountId, cancellationToken)).Select(name => new SecretName(name, source.Name)));
            }
        }

        return [.. names.DistinctBy(static secret => secret.Name, StringComparer.Ordinal).OrderBy(static secret => secret.Name, StringComparer.Ordinal)];
    }

    /// <summary>The refusal when no source had a secret.</summary>
    public CerverException NotFound(string name, SecretFinding finding) => SecretRules.NotFound(name, _sources, finding.Asked);

    private async ValueTask<Secret?> FetchAsync(ISecretSource source, string accountId, string name, CancellationToken cancellationToken)
    {
        if (source.IsLocal)
        {
            return await source.FetchAsync(accountId, name, cancellationToken);
        }

        if (_cache.Find(source.Name, accountId, name) is { } known)
        {
            return known;
        }

        var value = await source.FetchAsync(accountId, name, cancellationToken);
        _cache.Keep(source.Name, accountId, name, value);
        return value;
    }
}

/// <summary>What came of looking for a secret.</summary>
/// <param name="Found">The secret, or null.</param>
/// <param name="Asked">The sources that were asked; none when none is open to the account.</param>
internal sealed record SecretFinding(FetchedSecret? Found, IReadOnlyCollection<ISecretSource> Asked);
