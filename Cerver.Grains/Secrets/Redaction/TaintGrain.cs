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

    /// <summary>How long everything together may take to be read again. What was read by then is not read another time.</summary>
    private static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(5);

    private readonly AccountTaints _taints = new();
    private readonly HashSet<GivenSecret> _gone = [];
    private bool _isComplete;
    private (CerverException Refusal, long At)? _refused;
    private IGrainTimer? _retry;

    private string AccountId => TaintKey.Parse(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public async Task AddAsync(ImmutableArray<FetchedSecret> secrets, CancellationToken cancellationToken)
    {
        _gone.ExceptWith(secrets.Select(GivenSecret.Of));
        var given = state.State.Given.Except(_gone).Union(secrets.Select(GivenSecret.Of)).ToImmutableArray();
        Check(secrets, given.Length);

        // Known here first: a silo that begins to write for the account asks here, and waits until this is over.
        _taints.Add(secrets);
        await StoreAsync(given);
        await silos.AddAsync(AccountId, secrets);
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<FetchedSecret>> ListAsync(CancellationToken cancellationToken)
    {
        if (!_isComplete && _retry is null && !(_refused is { } recent && time.GetElapsedTime(recent.At) < RefusalLifetime))
        {
            await CompleteAsync();
            await StoreAsync([.. state.State.Given.Except(_gone)]);
        }

        if (!_isComplete)
        {
            if (!options.Value.WritesUnredacted)
            {
                throw _refused!.Value.Refusal;
            }

            // Who asks now does not ask again. What can be read later is told to every silo then.
            _retry ??= this.RegisterGrainTimer(RetryAsync, new GrainTimerCreationOptions(RetryPeriod, RetryPeriod) { Interleave = true, KeepAlive = true });
        }

        // While members change there may be another activation of this grain for a moment. What it told this silo is told to whoever asks here.
        _taints.Add(registry.Known(AccountId).Values);
        return [.. _taints.Values];
    }

    /// <summary>Finds out what the account was given before this activation: what other silos know, and what only its sources do.</summary>
    private async Task CompleteAsync()
    {
        using var limit = new CancellationTokenSource(ReadLimit, time);
        _taints.Add(await silos.GatherAsync(AccountId));
        var unknown = state.State.Given.Except(_taints.Values.Select(GivenSecret.Of)).Except(_gone).ToList();
        CerverException? refusal = null;
        var (missing, goneBefore) = (0, _gone.Count);
        foreach (var some in unknown.Chunk(ReadAtOnce))
        {
            var read = await Task.WhenAll(some.Select(given => ReadAsync(given, limit.Token)));
            _taints.Add(read.Select(static finding => finding.Found).OfType<FetchedSecret>());
            _gone.UnionWith(some.Where((_, i) => read[i] is { Found: null, Unavailable: null }));
            missing += read.Count(static finding => finding.Unavailable is not null);
            refusal ??= read.FirstOrDefault(static finding => finding.Unavailable is not null)?.Unavailable!.Refusal;
        }

        if (_gone.Count > goneBefore)
        {
            LogGone(AccountId, _gone.Count - goneBefore);
        }

        _isComplete = refusal is null;
        if (refusal is not null)
        {
            LogUnknown(refusal, AccountId, missing);
            _refused = (Refusal(refusal), time.GetTimestamp());
        }
    }

    private async Task<SecretFinding> ReadAsync(GivenSecret given, CancellationToken cancellationToken)
    {
        try
        {
            return await sources.FindAgainAsync(AccountId, given, cancellationToken).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            var late = new CerverException(CerverError.SecretBackendUnavailable, $"The source {given.Source} takes too long to give all of them.");
            return new SecretFinding(Found: null, [], new UnavailableSource(given.Source, late));
        }
    }

    /// <summary>Has every silo redact what could not be read before.</summary>
    private async Task RetryAsync(CancellationToken cancellationToken)
    {
        if (!_isComplete)
        {
            await CompleteAsync();
        }

        await silos.AddAsync(AccountId, [.. _taints.Values]);
        if (_isComplete)
        {
            _retry!.Dispose();
            _retry = null;
        }
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

    /// <summary>Keeps what the account was given, whoever goes away meanwhile: what this activation knows to be stored is not stored again.</summary>
    private async Task StoreAsync(ImmutableArray<GivenSecret> given)
    {
        var before = state.State;
        if (before.Given.SequenceEqual(given))
        {
            return;
        }

        try
        {
            state.State = before with { Given = given };
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
