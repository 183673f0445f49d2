using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Grains.Storage;
using Cerver.Operations;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>
/// What the one writer of a session knows of it, and how it writes: one change at a time, each in one transaction, and an operation with its
/// effect.
/// </summary>
/// <param name="sessions">Where sessions are kept.</param>
/// <param name="runs">Where runs are kept.</param>
/// <param name="operations">Where operations are kept.</param>
/// <param name="taints">What must not be written down.</param>
/// <param name="time">The clock.</param>
/// <param name="leave">Ends the activation: what it knows is in doubt, and the next call must start from what is stored.</param>
internal sealed class SessionWriter(ISessionStore sessions, IRunStore runs, IOperationStore operations, TaintRegistry taints, TimeProvider time, Action leave)
{
    private readonly RepeatedOperations _repeated = new();
    private SessionRecord? _record;
    private Func<SessionChange, RecordedOperation>? _operation;

    /// <summary>The account that owns the session.</summary>
    public string AccountId { get; private set; } = "";

    /// <summary>The session.</summary>
    public string SessionId { get; private set; } = "";

    /// <summary>The runs that are going.</summary>
    public GoingRuns Going { get; } = new();

    /// <summary>Completes what waits for something new.</summary>
    public News News { get; } = new();

    /// <summary>The record, or null when there is no such session.</summary>
    public SessionRecord? Record => _record;

    /// <summary>The record of a session that exists.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    public SessionRecord Existing => _record ?? throw new CerverException(CerverError.NotFound, "There is no such session in this account.");

    /// <summary>The record of a session that may change.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.NotFound"/>, <see cref="CerverError.SessionEnded"/>, <see cref="CerverError.Conflict"/> while it is being imported.
    /// </exception>
    public SessionRecord Writable => Existing switch
    {
        { Status: SessionStatus.Ended } => throw new CerverException(CerverError.SessionEnded, "The session has ended. Create a new one."),
        { EndReason: EndReasons.ImportIncomplete } => throw new CerverException(
            CerverError.Conflict, "The session is being imported and is not whole yet. If nobody imports it any more, send the same file again to complete it."),
        var record => record,
    };

    /// <summary>The time, as exactly as it is stored.</summary>
    public DateTimeOffset Now => UnixMicroseconds.Round(time.GetUtcNow());

    /// <summary>Reads what is stored.</summary>
    public async Task LoadAsync(string key, CancellationToken cancellationToken)
    {
        (AccountId, SessionId) = SessionKey.Parse(key);
        _record = await sessions.FindAsync(AccountId, SessionId, cancellationToken);
        if (_record is not null)
        {
            Going.Load(await runs.ListGoingAsync(AccountId, SessionId, cancellationToken));
        }
    }

    /// <summary>Carries out a write, unless it was carried out before under the same key. What it commits first takes the operation with it.</summary>
    /// <param name="operation">The name for it, or null.</param>
    /// <param name="type">The shape of the result.</param>
    /// <param name="resultOf">What the write comes to, by its first change: it is recorded before the write is over.</param>
    /// <param name="write">The write.</param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.IdempotencyMismatch"/>; <see cref="CerverError.ProviderUnavailable"/> when it was begun and nobody knows what it came to; whatever the write refuses.
    /// </exception>
    public async Task<Outcome<T>> OnceAsync<T>(Operation? operation, JsonTypeInfo<T> type, Func<SessionChange, T> resultOf, Func<Task<T>> write)
    {
        if (operation is null)
        {
            return new(await write(), IsReplayed: false);
        }

        _repeated.Admit(operation);
        if (operation.MayBeKnown(time.GetUtcNow()) && await operations.FindAsync(AccountId, operation.Key, CancellationToken.None) is { } earlier)
        {
            if (!earlier.RequestHash.AsSpan().SequenceEqual(operation.RequestHash.AsSpan()))
            {
                throw new CerverException(
                    CerverError.IdempotencyMismatch, "This Idempotency-Key was used for another request within a day. Send a new key with a new request.");
            }

            return earlier.Doubt is { } doubt
                ? throw new CerverException(CerverError.ProviderUnavailable, doubt)
                : new(JsonSerializer.Deserialize(earlier.Result, type)!, IsReplayed: true);
        }

        _operation = change => new(operation.Key, operation.RequestHash, JsonSerializer.Serialize(resultOf(change), type));
        try
        {
            var result = await write();
            if (_operation is not null && (operation.IsRepetition || !operation.IsOwn))
            {
                // There was nothing to do, and there must be nothing to do either when the same call comes again: from the caller, or from a machine that hung
                // with the first attempt. A first attempt of the Api's own needs no such note: until it is answered its caller waits, whatever is done then.
                await CommitAsync(SessionChange.From(Existing, Existing.UpdatedAt, rewrites: false, []));
            }

            return new(result, IsReplayed: false);
        }
        finally
        {
            _operation = null;
        }
    }

    /// <summary>Carries out an append, unless it was carried out before under the same name.</summary>
    /// <remarks>
    /// There may be thousands a second, so what the Api names is kept with the entries instead of in a row of its own; what a caller names must be found for a day.
    /// </remarks>
    /// <param name="operation">The name for it, or null.</param>
    /// <param name="append">Commits the entries together with what they are to be found by, and gives how many entries there are then.</param>
    /// <exception cref="CerverException"><see cref="CerverError.IdempotencyMismatch"/>, and whatever the append refuses.</exception>
    public async Task<Outcome<long>> AppendOnceAsync(Operation? operation, Func<Guid?, Task<long>> append)
    {
        if (operation?.OwnId is not { } appendId)
        {
            return await OnceAsync(operation, SessionResults.Default.Int64, static change => change.Next.TranscriptTotal, () => append(null));
        }

        _repeated.Admit(operation);
        var known = operation.MayBeKnown(time.GetUtcNow()) ? await sessions.FindAppendAsync(AccountId, SessionId, appendId, CancellationToken.None) : null;
        return known is { } total ? new(total, IsReplayed: true) : new(await append(appendId), IsReplayed: false);
    }

    /// <summary>A change that leaves the record like this.</summary>
    public SessionChange Change(SessionRecord next, bool rewrites, params ImmutableArray<TranscriptEntry> entries) =>
        SessionChange.From(next, Now, rewrites, entries);

    /// <summary>A text without the values of secrets that the account was given. What is cut must be without them before: the beginning of one is not found.</summary>
    public async Task<string?> RedactAsync(string? text) => TextRedactor.Redact((await taints.OfAsync(AccountId)).Matcher, text);

    /// <summary>Entries without the values of secrets that the account was given.</summary>
    public async Task<ImmutableArray<TranscriptEntry>> RedactAsync(ImmutableArray<TranscriptEntry> entries) =>
        TextRedactor.Redact((await taints.OfAsync(AccountId)).Matcher, entries);

    /// <summary>Commits a change, without the values of secrets that the account was given, whoever goes away meanwhile.</summary>
    /// <param name="change">The change.</param>
    /// <param name="isEffect">Whether the operation that is under way is done with it, as far as its caller must know.</param>
    /// <returns>The record after it.</returns>
    public Task<SessionRecord> CommitAsync(SessionChange change, bool isEffect = true) =>
        CommitAsync(change, made => made with { Recorded = isEffect ? TakeOperation(made) : null });

    /// <summary>Commits the first part of an effect whose second is outside the gateway. The operation is recorded as begun, so that it is never carried out again.</summary>
    /// <param name="change">The change.</param>
    /// <param name="doubt">What is said to whoever sends it again before it is known what came of the second part.</param>
    public Task<SessionRecord> BeginAsync(SessionChange change, string doubt) =>
        CommitAsync(change, made => made with { Recorded = _operation?.Invoke(made).Begun(doubt) });

    /// <summary>Commits that the second part of the effect is there, too.</summary>
    public Task<SessionRecord> CompleteAsync(SessionChange change) => CommitAsync(change, made => made with { Completed = TakeOperation(made) });

    /// <summary>Erases the session with all that belongs to it, but for the operation that asked for it.</summary>
    public async Task PurgeAsync(CancellationToken cancellationToken)
    {
        var operation = TakeOperation(SessionChange.From(Existing, Now, rewrites: false, []));
        _record = null;
        leave();
        News.Tell();
        await sessions.PurgeAsync(AccountId, SessionId, operation, cancellationToken);
    }

    /// <summary>Makes sure that nobody else has written to the session since. When somebody has, the next call starts from that.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Fenced"/>.</exception>
    public async Task RequireNewestAsync(CancellationToken cancellationToken)
    {
        if ((await sessions.FindAsync(AccountId, SessionId, cancellationToken))?.Version != _record?.Version)
        {
            leave();
            throw new CerverException(CerverError.Fenced, "Somebody else wrote to this session first. Try again.");
        }
    }

    /// <summary>Makes sure that nothing is left of a session of the same id that was erased: what is would be taken for this one's, or this one's for it.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public async Task RequireErasedAsync(CancellationToken cancellationToken)
    {
        if (await sessions.IsBeingErasedAsync(SessionId, cancellationToken))
        {
            throw new CerverException(
                CerverError.StorageUnavailable, "This session was purged and its rows are still being erased, which takes an hour at most. Try again later.");
        }
    }

    private async Task<SessionRecord> CommitAsync(SessionChange change, Func<SessionChange, SessionChange> record)
    {
        if (!ReferenceEquals(change.Next.Metadata, _record?.Metadata) || change.Next.Provider != _record?.Provider)
        {
            change = change with { Next = AgentMetadata.WithoutTokens(change.Next) };
        }

        change = SessionRedaction.IsNeeded(_record, change) ? SessionRedaction.Redact((await taints.OfAsync(AccountId)).Matcher, change) : change;
        change = record(change with { ChangesStatus = _record?.Status != change.Next.Status });
        try
        {
            await sessions.CommitAsync(change, CancellationToken.None);
        }
        catch
        {
            leave();
            throw;
        }

        Going.Apply(change);
        _record = change.Next;
        News.Tell();
        return change.Next;
    }

    private RecordedOperation? TakeOperation(SessionChange change)
    {
        var operation = _operation?.Invoke(change);
        _operation = null;
        return operation;
    }
}
