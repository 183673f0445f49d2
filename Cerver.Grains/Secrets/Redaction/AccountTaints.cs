using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>The values that an account was given since this process knows of it. Any number may use it at once.</summary>
internal sealed class AccountTaints
{
    /// <summary>How many values of one secret are known; with one more, the oldest is forgotten.</summary>
    private const int MaxValuesOfSecret = 8;

    private readonly Lock _gate = new();
    private readonly List<FetchedSecret> _added = [];
    private ImmutableList<FetchedSecret> _values = [];
    private SecretMatcher _last = SecretMatcher.Empty;
    private volatile SecretMatcher? _matcher = SecretMatcher.Empty;

    /// <summary>Finds them in texts. It is made when it is asked for: many values may come one by one, and who only keeps them needs none.</summary>
    public SecretMatcher Matcher => _matcher ?? MakeMatcher();

    /// <summary>The values, the oldest first.</summary>
    public ImmutableList<FetchedSecret> Values => Volatile.Read(ref _values);

    /// <summary>Takes values in that are not known yet.</summary>
    public void Add(IEnumerable<FetchedSecret> values)
    {
        lock (_gate)
        {
            foreach (var value in values.Where(value => !_values.Contains(value)))
            {
                var same = _values.FindAll(known => known.Name.Equals(value.Name, StringComparison.Ordinal));
                if (same.Count < MaxValuesOfSecret)
                {
                    _values = _values.Add(value);
                    _added.Add(value);
                }
                else
                {
                    _values = _values.Remove(same[0]).Add(value);
                    _added.Clear();
                    _added.AddRange(_values);
                    _last = SecretMatcher.Empty;
                }

                _matcher = null;
            }
        }
    }

    private SecretMatcher MakeMatcher()
    {
        lock (_gate)
        {
            if (_matcher is { } made)
            {
                return made;
            }

            _last = _last.With(_added);
            _added.Clear();
            return _matcher = _last;
        }
    }
}
