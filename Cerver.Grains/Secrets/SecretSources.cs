using Cerver.Errors;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Secrets;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets;

/// <summary>All sources of secrets as one. What backends gave is kept in memory for a while, and nowhere else.</summary>
internal sealed class SecretSources(IEnumerable<ISecretSource> sources, IOptions<SecretOptions> options, TimeProvider time)
{
    private readonly ISecretSource[] _sources = [.. sources];
    private readonly SecretCache _cache = new(options.Value.CacheLifetime, time);

    /// <summary>Looks for a secret in the sources that are open to the account, in their order. One that cannot be asked ends that, unless the next is to be asked then.</summary>
    public Task<SecretFinding> FindAsync(string accountId, string name, CancellationToken cancellationToken) =>
        FindAsync(options.Value.Sort(accountId, _sources), accountId, name, cancellationToken);

    /// <summary>Looks for a secret in the source that it was given from. One that is not there any more, or not open to the account, has it no more.</summary>
    public Task<SecretFinding> FindAgainAsync(string accountId, GivenSecret given, CancellationToken cancellationToken) =>
        FindAsync(_sources.Where(source => source.Name.Equals(given.Source, StringComparison.Ordinal)), accountId, given.Name, cancellationToken);

    /// <summary>The names that an account can fetch, and from where, by name. Those of a source that cannot be asked are missing if the next one is to be asked then.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SecretBackendUnavailable"/> when one of the sources cannot be asked, or, if the next one is to be asked then, when none can be.
    /// </exception>
    public async Task<ImmutableArray<SecretName>> ListAsync(string accountId, CancellationToken cancellationToken)
    {
        var names = new List<SecretName>();
        var answered = false;
        CerverException? unavailable = null;
        foreach (var source in options.Value.Sort(accountId, _sources))
        {
            try
            {
                if (await source.IsOpenToAsync(accountId, cancellationToken))
                {
                    names.AddRange((await source.ListAsync(accountId, cancellationToken)).Select(name => new SecretName(name, source.Name)));
                    answered = true;
                }
            }
            catch (CerverException failure) when (failure.Code == CerverError.SecretBackendUnavailable && options.Value.AsksNextWhenUnavailable)
            {
                unavailable ??= failure;
            }
        }

        // An empty list would say that there is nothing, which nobody knows.
        if (unavailable is not null && !answered)
        {
            throw unavailable;
        }

        return [.. names.DistinctBy(static secret => secret.Name, StringComparer.Ordinal).OrderBy(static secret => secret.Name, StringComparer.Ordinal)];
    }

    /// <summary>The refusal when no source had a secret.</summary>
    public CerverException NotFound(string name, SecretFinding finding) => SecretRules.NotFound(name, _sources, finding.Asked);

    private async Task<SecretFinding> FindAsync(IEnumerable<ISecretSource> sources, string accountId, string name, CancellationToken cancellationToken)
    {
        var asked = new List<ISecretSource>();
        UnavailableSource? unavailable = null;
        foreach (var source in sources)
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
                    return new SecretFinding(new FetchedSecret(name, value, source.Name), asked, unavailable);
                }
            }
            catch (CerverException failure) when (failure.Code == CerverError.SecretBackendUnavailable)
            {
                unavailable ??= new UnavailableSource(source.Name, failure);
                if (!options.Value.AsksNextWhenUnavailable)
                {
                    break;
                }
            }
        }

        return new SecretFinding(Found: null, asked, unavailable);
    }

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
/// <param name="Unavailable">The first source that could not be asked, or null. What another one had then may not be what it usually is.</param>
internal sealed record SecretFinding(FetchedSecret? Found, IReadOnlyCollection<ISecretSource> Asked, UnavailableSource? Unavailable);

/// <summary>A source that could not be asked.</summary>
/// <param name="Name">Its word.</param>
/// <param name="Refusal">What a caller is told.</param>
internal sealed record UnavailableSource(string Name, CerverException Refusal);
