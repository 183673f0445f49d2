using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Runs;
using Cerver.Grains.Storage;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Sessions;

/// <inheritdoc cref="ISessionGrain"/>
[GrainType("session")]
internal sealed class SessionGrain(
    ISessionStore sessions, IRunStore runs, SessionComputes computes, IOptions<SessionLimits> limits, TimeProvider time) : Grain, ISessionGrain
{
    private readonly GoingRuns _going = new();
    private string _accountId = "";
    private string _sessionId = "";
    private SessionRecord? _record;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_accountId, _sessionId) = SessionKey.Parse(this.GetPrimaryKeyString());
        _record = await sessions.FindAsync(_accountId, _sessionId, cancellationToken);
        if (_record is not null)
        {
            _going.Load(await runs.ListGoingAsync(_accountId, _sessionId, cancellationToken));
        }
    }

    /// <inheritdoc/>
    public async Task<SessionRecord> CreateAsync(CreateSession request, CancellationToken cancellationToken)
    {
        if (_record is not null)
        {
            throw new CerverException(CerverError.Conflict, "A session with this id exists already.");
        }

        SessionRules.Check(request, limits.Value);
        var record = SessionRules.NewRecord(request, _accountId, _sessionId, Now());
        if (request.Compute.Kind == ComputeChoiceKind.None)
        {
            // Also a session without compute may get some later, so what it asks for must make sense.
            _ = ComputeRequirements.Parse(request.Requirements);
            return await CommitAsync(Change(record, rewrites: true));
        }

        record = await computes.AttachAsync(await computes.ChooseAsync(record, request.Compute, request.AllowedProviders), cancellationToken);
        try
        {
            return await CommitAsync(Change(record, rewrites: true));
        }
        catch
        {
            await computes.ReleaseAsync(record);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<SessionRecord> UpdateAsync(UpdateSession request, CancellationToken cancellationToken)
    {
        var record = Existing();
        SessionRules.CheckName(request.SessionName, limits.Value);
        return await CommitAsync(Change(
            record with
            {
                SessionName = request.SessionName ?? record.SessionName,
                Metadata = request.Metadata is null ? record.Metadata : SessionRules.Merge(record.Metadata, request.Metadata, limits.Value),
            },
            rewrites: true));
    }

    /// <inheritdoc/>
    public async Task<long> AppendAsync(ImmutableArray<TranscriptEntry> entries, CancellationToken cancellationToken)
    {
        var record = Writable();
        SessionRules.Check(entries, limits.Value);
        return (await CommitAsync(Change(record, rewrites: false, SessionEntries.Stamp(entries, Now())))).TranscriptTotal;
    }

    /// <inheritdoc/>
    public async Task<SessionRecord> InputAsync(TranscriptEntry entry, CancellationToken cancellationToken)
    {
        var record = Writable();
        SessionRules.CheckInput(entry, limits.Value);

        // Compute first: an input whose compute cannot come up is refused having appended nothing.
        var attached = record is { Status: SessionStatus.Idle, ComputeId: not null } ? await computes.AttachAsync(record, cancellationToken) : record;
        return await CommitAsync(Change(attached, rewrites: attached != record, SessionEntries.Stamp([entry], Now())));
    }

    /// <inheritdoc/>
    public async Task<SessionRecord> ResumeAsync(ComputeChoice? compute, CancellationToken cancellationToken)
    {
        var record = Existing();
        _ = SessionTransitions.Next(record.Status, SessionTrigger.Attach);
        if (compute is not null && !SessionComputes.IsCurrent(record, compute))
        {
            return await ChangeComputeAsync(compute, cancellationToken);
        }

        if (record.ComputeId is null)
        {
            throw new CerverException(
                CerverError.NotResumable, "This session only holds a transcript; there is nothing to resume. POST …/compute gives it compute.");
        }

        return await CommitAsync(Change(await computes.AttachAsync(record, cancellationToken), rewrites: true));
    }

    /// <inheritdoc/>
    public Task<SessionRecord> PauseAsync(CancellationToken cancellationToken) => PauseAsync(Existing(), Now(), cancellationToken);

    /// <inheritdoc/>
    public async Task<TimeSpan> CheckIdleAsync(string sandboxId, CancellationToken cancellationToken)
    {
        if (_record?.SandboxId == sandboxId)
        {
            var left = computes.IdleTimeLeft(_record, _going.Count);
            if (left == TimeSpan.Zero)
            {
                // As of the last activity: lists are ordered by that, and this is none.
                await PauseAsync(_record, _record.UpdatedAt, cancellationToken);
            }

            return left;
        }

        if ((await sessions.FindAsync(_accountId, _sessionId, cancellationToken))?.SandboxId == sandboxId)
        {
            DeactivateOnIdle();
            throw new CerverException(CerverError.Fenced, "Somebody else wrote to this session first. Try again.");
        }

        await computes.ReleaseAsync(_accountId, sandboxId);
        return TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public async Task<SessionRecord> ChangeComputeAsync(ComputeChoice compute, CancellationToken cancellationToken)
    {
        var record = Writable();
        var detached = SessionComputes.Detach(record);
        var next = compute.Kind == ComputeChoiceKind.None
            ? detached
            : await computes.AttachAsync(await computes.ChooseAsync(detached, compute, allowedProviders: []), cancellationToken);

        // The old files go when it is on disk that they are not needed any more, and the new sandbox if that cannot be written.
        var ended = record.SandboxId is null ? [] : await computes.Sandbox(record).SuspendAsync(cancellationToken);
        try
        {
            await CommitAsync(_going.EndAll(next, ended, Now(), SessionEntries.ComputeSwitched(Now(), record.Provider, next.Provider)));
        }
        catch
        {
            await computes.ReleaseAsync(next);
            throw;
        }

        await computes.ReleaseAsync(record);
        return _record!;
    }

    /// <inheritdoc/>
    public async Task EndAsync(bool purge, CancellationToken cancellationToken)
    {
        var record = Existing();
        if (record.Status != SessionStatus.Ended)
        {
            var ended = record.SandboxId is null ? [] : await computes.Sandbox(record).SuspendAsync(cancellationToken);
            await CommitAsync(_going.EndAll(
                record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.End), SandboxId = null }, ended, Now()));
            await computes.ReleaseAsync(record);
        }

        if (purge)
        {
            _record = null;
            DeactivateOnIdle();
            await sessions.PurgeAsync(_accountId, _sessionId, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task<RunRecord> StartRunAsync(StartRun request, CancellationToken cancellationToken)
    {
        var record = Writable();
        SessionRules.Check(request, limits.Value);
        if (await runs.FindAsync(_accountId, _sessionId, request.RunId, cancellationToken) is { } known)
        {
            return known;
        }

        SessionRules.CheckRunnable(record, _going.Count, limits.Value);
        var runtime = await computes.RuntimeAsync(record, request.Runtime);
        var attached = await computes.AttachAsync(record, cancellationToken);
        var run = new RunRecord(
            request.RunId, _sessionId, attached.SandboxId!, runtime, request.Code, RunStatus.Running, ExitCode: null, Truncated: false, OutputHead: 0, Now(), EndedAt: null);
        await CommitAsync(
            Change(attached with { Metrics = attached.Metrics with { RunCount = attached.Metrics.RunCount + 1 } }, rewrites: true, SessionEntries.RunStarted(run)) with { Started = run });
        try
        {
            await computes.Sandbox(attached).StartAsync(
                new SandboxRun(run.RunId, run.Code, runtime, request.Timeout ?? limits.Value.DefaultRunTimeout, request.Environment), cancellationToken);
        }
        catch
        {
            await CompleteRunAsync(RunEnd.Lost(run.RunId, Now()), CancellationToken.None);
            throw;
        }

        return run;
    }

    /// <inheritdoc/>
    public async Task CompleteRunAsync(RunEnd ended, CancellationToken cancellationToken)
    {
        if (_record is { } record && _going.Contains(ended.RunId))
        {
            await CommitAsync(_going.End(record, [ended], Now()));
        }
    }

    /// <inheritdoc/>
    public async Task SandboxLostAsync(string sandboxId, CancellationToken cancellationToken)
    {
        // The news may be old: a call that came first may have brought the sandbox up again.
        if (_record is { Status: SessionStatus.Running } record && record.SandboxId == sandboxId && !await computes.Sandbox(record).IsUpAsync(cancellationToken))
        {
            await CommitAsync(Change(record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.LoseSandbox) }, rewrites: true));
        }
    }

    private async Task<SessionRecord> PauseAsync(SessionRecord record, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var paused = record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.Pause) };
        if (record.SandboxId is null)
        {
            return record;
        }

        // Also when the status says idle: what counts is that nothing runs when this answers.
        var ended = await computes.Sandbox(record).SuspendAsync(cancellationToken);
        return paused != record || _going.Count > 0 ? await CommitAsync(_going.EndAll(paused, ended, at)) : record;
    }

    private SessionRecord Existing() => _record ?? throw new CerverException(CerverError.NotFound, "There is no such session in this account.");

    private SessionRecord Writable() => Existing() is { Status: not SessionStatus.Ended } record
        ? record
        : throw new CerverException(CerverError.SessionEnded, "The session has ended. Create a new one.");

    private DateTimeOffset Now() => UnixMicroseconds.Round(time.GetUtcNow());

    private SessionChange Change(SessionRecord next, bool rewrites, params ImmutableArray<TranscriptEntry> entries) =>
        SessionChange.From(next, Now(), rewrites, entries);

    /// <summary>Commits a change, whoever goes away meanwhile. A failed one leaves this copy in doubt: the next call starts from what is stored.</summary>
    private async Task<SessionRecord> CommitAsync(SessionChange change)
    {
        try
        {
            await sessions.CommitAsync(change, CancellationToken.None);
        }
        catch
        {
            DeactivateOnIdle();
            throw;
        }

        _going.Apply(change);
        return _record = change.Next;
    }
}
