using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Secrets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Redaction;

/// <inheritdoc cref="ITaintGrain"/>
[GrainType("taints")]
internal sealed partial class TaintGrain(
    [PersistentState("taints", ComputeGrain.StorageName)] IPersistentState<TaintState> state,
    TaintedSilos silos,
    TaintRegistry registry,
    SecretSources sources,
    IOptions<SecretOptions> options,
    TimeProvider time,
    ILogger<TaintGrain> logger) : Grain, ITaintGrain
{
    private const int MaxNames = 1_000;
    private const int MaxTotalBytes = 512 * 1024;
    private const int ReadAtOnce = 8;

    /// <summary>How long a refusal stands: whoever writes asks, and a backend that is down takes its time to say so.</summary>
    private static readonly TimeSpan RefusalLifetime = TimeSpan.FromSeconds(2);

    private readonly AccountTaints _taints = new();
    private bool _isComplete;
    private (CerverException Refusal, long At)? _refused;

    private string AccountId => TaintKey.Parse(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public async Task AddAsync(ImmutableArray<FetchedSecret> secrets, CancellationToken cancellationToken)
    {
        var known = state.State.Names;
        var names = known.Union(secrets.Select(static secret => secret.Name), StringComparer.Ordinal).ToImmutableArray();
        Check(secrets, names.Length);

        // Known here first: a silo that begins to write for the account asks here, and waits until this is over.
        _taints.Add(secrets);
        if (names.Length > known.Length)
        {
            await StoreAsync(names);
        }

        await silos.AddAsync(AccountId, secrets);
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<FetchedSecret>> ListAsync(CancellationToken cancellationToken)
    {
        if (!_isComplete)
        {
            if (_refused is { } refused && time.GetElapsedTime(refused.At) < RefusalLifetime)
            {
                throw refused.Refusal;
            }

            await CompleteAsync();
        }

        // While members change there may be another activation of this grain for a moment. What it told this silo is told to whoever asks here.
        _taints.Add(registry.Known(AccountId).Values);
        return [.. _taints.Values];
    }

    /// <summary>Finds out what the account was given before this activation: what other silos know, and what only its sources do.</summary>
    private async Task CompleteAsync()
    {
        _taints.Add(await silos.GatherAsync(AccountId));
        var unknown = state.State.Names.Except(_taints.Values.Select(static value => value.Name), StringComparer.Ordinal).ToList();
        var gone = new List<string>();
        foreach (var names in unknown.Chunk(ReadAtOnce))
        {
            // Also when another source has one of the name: what the account was given may be in the one that cannot be asked.
            var read = await Task.WhenAll(names.Select(name => sources.FindAsync(AccountId, name, CancellationToken.None)));
            _taints.Add(read.Select(static finding => finding.Found).OfType<FetchedSecret>());
            gone.AddRange(names.Where((_, i) => read[i] is { Found: null, Unavailable: null }));
            if (read.FirstOrDefault(static finding => finding.Unavailable is not null)?.Unavailable is { } unavailable)
            {
                LogUnknown(unavailable.Refusal, AccountId, read.Count(static finding => finding.Unavailable is not null));
                if (!options.Value.WritesUnredacted)
                {
                    _refused = (Refusal(unavailable.Refusal), time.GetTimestamp());
                    throw _refused.Value.Refusal;
                }
            }
        }

        if (gone.Count > 0)
        {
            LogGone(AccountId, gone.Count);
            await StoreAsync([.. state.State.Names.Except(gone, StringComparer.Ordinal)]);
        }

        _isComplete = true;
    }

    private void Check(ImmutableArray<FetchedSecret> secrets, int names)
    {
        if (secrets.FirstOrDefault(static secret => secret.Value.Bytes > SecretForms.MaxBytes) is { } tooLong)
        {
            throw new CerverException(
                CerverError.PayloadTooLarge,
                $"The secret '{tooLong.Name}' is longer than {SecretForms.MaxBytes} bytes, so it could not be redacted and is not handed out. Keep it as a file, or in parts.");
        }

        var bytes = _taints.Values.Union(secrets).Sum(static secret => secret.Value.Bytes);
        if (names > MaxNames || bytes > MaxTotalBytes)
        {
            throw new CerverException(
                CerverError.Conflict,
                $"This account was given as many secrets as can be redacted: {MaxNames} of together {MaxTotalBytes} bytes. Use another account for others.");
        }
    }

    private static CerverException Refusal(CerverException failure) => new(
        CerverError.SecretBackendUnavailable,
        $"Secrets that this account was given before the gateway started cannot be read again, so nothing is written that might have one in it. Try again when it works: {failure.Message}");

    /// <summary>Keeps names, whoever goes away meanwhile: what this activation knows to be stored is not stored again.</summary>
    private async Task StoreAsync(ImmutableArray<string> names)
    {
        var before = state.State;
        try
        {
            state.State = before with { Names = names };
            await state.WriteStateAsync(CancellationToken.None);
        }
        catch (Exception failure)
        {
            state.State = before;
            DeactivateOnIdle();
            LogStateFailed(failure, AccountId);
            throw new CerverException(CerverError.StorageUnavailable, "The names of what the account was given could not be stored. Try again later.");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {AccountId} was given {Count} secrets or more that cannot be read again now")]
    private partial void LogUnknown(Exception failure, string accountId, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} secrets that account {AccountId} was given are gone from their sources and are not redacted any more")]
    private partial void LogGone(string accountId, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "What is known of the secrets of account {AccountId} could not be stored")]
    private partial void LogStateFailed(Exception failure, string accountId);
}
