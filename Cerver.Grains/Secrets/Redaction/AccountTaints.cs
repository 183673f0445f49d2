using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>The values that an account was given since this process knows of it. Any number may use it at once.</summary>
internal sealed class AccountTaints
{
    /// <summary>How many values of one secret are known; with one more, the oldest is forgotten.</summary>
    private const int MaxValuesOfSecret = 8;

    private readonly Lock _gate = new();
    private ImmutableList<FetchedSecret> _values = [];
    private volatile SecretMatcher _matcher = SecretMatcher.Empty;

    /// <summary>Finds them in texts.</summary>
    public SecretMatcher Matcher => _matcher;

    /// <summary>The values, the oldest first.</summary>
    public ImmutableList<FetchedSecret> Values => Volatile.Read(ref _values);

    /// <summary>Takes values in that are not known yet.</summary>
    public void Add(IEnumerable<FetchedSecret> values)
    {
        lock (_gate)
        {
            var isLess = false;
            var added = new List<FetchedSecret>();
            foreach (var value in values.Where(value => !_values.Contains(value)))
            {
                var same = _values.FindAll(known => known.Name.Equals(value.Name, StringComparison.Ordinal));
                isLess |= same.Count >= MaxValuesOfSecret;
                _values = (same.Count < MaxValuesOfSecret ? _values : _values.Remove(same[0])).Add(value);
                added.Add(value);
            }

            if (added.Count > 0)
            {
                _matcher = isLess ? SecretMatcher.Empty.With(_values) : _matcher.With(added);
            }
        }
    }
}
