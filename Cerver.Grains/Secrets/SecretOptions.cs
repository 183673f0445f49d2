using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets;

/// <summary>Which sources of secrets are asked, and how long what they said is believed.</summary>
internal sealed class SecretOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Secrets";

    private static readonly TimeSpan MaxCacheLifetime = TimeSpan.FromHours(1);

    /// <summary>The words of the sources in the order in which they are asked; when there are none, all that there are, the environment first.</summary>
    public IList<string> Order { get; } = [];

    /// <summary>The order for single accounts, by the account's id.</summary>
    public IDictionary<string, IList<string>> OrderOf { get; } = new Dictionary<string, IList<string>>(StringComparer.Ordinal);

    /// <summary>How long a value is kept in memory after a backend gave it, at most an hour; zero asks every time.</summary>
    public TimeSpan CacheLifetime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Whether the next source is asked when one cannot be. Without it an agent never gets the value of a name from another source than usual, because
    /// the usual one is down.
    /// </summary>
    public bool AsksNextWhenUnavailable { get; set; }

    /// <summary>
    /// Whether an account is written to while values that it was given before the gateway started cannot be read again, and so not be redacted.
    /// </summary>
    public bool WritesUnredacted { get; set; }

    /// <summary>The sources of an account, in their order.</summary>
    internal IEnumerable<ISecretSource> Sort(string accountId, IReadOnlyCollection<ISecretSource> sources) =>
        (OrderOf.TryGetValue(accountId, out var own) ? own : Order) is { Count: > 0 } order
            ? order.Select(word => sources.First(source => source.Name.Equals(word, StringComparison.Ordinal)))
            : sources;

    /// <summary>Checks <see cref="SecretOptions"/> before the first request.</summary>
    internal sealed class Validator(IEnumerable<ISecretSource> sources) : IValidateOptions<SecretOptions>
    {
        /// <inheritdoc/>
        public ValidateOptionsResult Validate(string? name, SecretOptions options)
        {
            if (options.CacheLifetime < TimeSpan.Zero || options.CacheLifetime > MaxCacheLifetime)
            {
                return ValidateOptionsResult.Fail($"{Section}:{nameof(CacheLifetime)} must be between 00:00:00 and {MaxCacheLifetime}.");
            }

            var known = sources.Select(static source => source.Name).ToList();
            foreach (var (setting, order) in options.OrderOf.Select(static own => ($"{nameof(OrderOf)}:{own.Key}", own.Value)).Prepend((nameof(Order), options.Order)))
            {
                if (order.FirstOrDefault(word => !known.Contains(word)) is { } unknown)
                {
                    return ValidateOptionsResult.Fail($"{Section}:{setting} has '{unknown}', which is no source; there are {string.Join(", ", known)}.");
                }

                if (order.Distinct(StringComparer.Ordinal).Count() != order.Count)
                {
                    return ValidateOptionsResult.Fail($"{Section}:{setting} names a source twice.");
                }
            }

            return ValidateOptionsResult.Success;
        }
    }
}
