using Cerver.Secrets;

namespace Cerver.Grains.Secrets;

/// <summary>Values that backends gave a moment ago, in memory only.</summary>
/// <param name="lifetime">How long a value is kept; zero keeps none.</param>
/// <param name="time">The clock.</param>
internal sealed class SecretCache(TimeSpan lifetime, TimeProvider time)
{
    /// <summary>How many values are kept. With one more, all that are too old go, and when none is, all do.</summary>
    private const int MaxValues = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Source, string AccountId, string Name), (Secret Value, long At)> _values = [];

    /// <summary>A value that is not too old, or null.</summary>
    public Secret? Find(string source, string accountId, string name)
    {
        lock (_gate)
        {
            return _values.TryGetValue((source, accountId, name), out var kept) && IsFresh(kept.At) ? kept.Value : null;
        }
    }

    /// <summary>Keeps a value. Without one what was kept before is forgotten.</summary>
    public void Keep(string source, string accountId, string name, Secret? value)
    {
        lock (_gate)
        {
            if (value is null || lifetime == TimeSpan.Zero)
            {
                _values.Remove((source, accountId, name));
                return;
            }

            if (_values.Count >= MaxValues)
            {
                foreach (var old in _values.Where(kept => !IsFresh(kept.Value.At)).Select(static kept => kept.Key).ToList())
                {
                    _values.Remove(old);
                }

                if (_values.Count >= MaxValues)
                {
                    _values.Clear();
                }
            }

            _values[(source, accountId, name)] = (value, time.GetTimestamp());
        }
    }

    private bool IsFresh(long at) => time.GetElapsedTime(at) < lifetime;
}
