using System.Collections.Concurrent;
using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>What this silo must not write down, for each account that it writes for.</summary>
/// <remarks>
/// An account is asked for once. Whatever it is given after that is told to every silo before it is given away, so there is nothing to ask again.
/// </remarks>
internal sealed class TaintRegistry(IGrainFactory grains)
{
    private readonly ConcurrentDictionary<string, Entry> _accounts = new(StringComparer.Ordinal);

    /// <summary>The values of an account.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SecretBackendUnavailable"/> while they cannot be known.</exception>
    public ValueTask<AccountTaints> OfAsync(string accountId)
    {
        var entry = EntryOf(accountId);
        return entry.IsComplete ? ValueTask.FromResult(entry.Taints) : new(LoadAsync(accountId, entry));
    }

    /// <summary>The values of an account, as far as they are known here.</summary>
    public AccountTaints Known(string accountId) => EntryOf(accountId).Taints;

    /// <summary>Every account of which values are known here.</summary>
    public IEnumerable<(string AccountId, AccountTaints Taints)> Known() =>
        _accounts.Where(static account => account.Value.Taints.Values.Count > 0).Select(static account => (account.Key, account.Value.Taints));

    private Entry EntryOf(string accountId) => _accounts.GetOrAdd(accountId, static _ => new Entry());

    private async Task<AccountTaints> LoadAsync(string accountId, Entry entry)
    {
        // What is told meanwhile is added to the same.
        entry.Taints.Add(await grains.GetGrain<ITaintGrain>(TaintKey.For(accountId)).ListAsync(CancellationToken.None));
        entry.IsComplete = true;
        return entry.Taints;
    }

    private sealed class Entry
    {
        private volatile bool _isComplete;

        public AccountTaints Taints { get; } = new();

        public bool IsComplete
        {
            get => _isComplete;
            set => _isComplete = value;
        }
    }
}
