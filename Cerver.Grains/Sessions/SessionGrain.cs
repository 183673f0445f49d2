using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Operations;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Operations;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Sessions;

/// <inheritdoc cref="ISessionGrain"/>
[GrainType("session")]
internal sealed class SessionGrain : Grain, ISessionGrain
{
    private readonly SessionComputes _computes;
    private readonly SessionLimits _limits;
    private readonly TimeProvider _time;
    private readonly SessionWriter _session;
    private readonly SessionRuns _runs;
    private readonly SessionTalk _talk;
    private readonly SessionImport _import;

    public SessionGrain(
        ISessionStore sessions,
        IRunStore runs,
        IOperationStore operations,
        SessionComputes computes,
        TaintRegistry taints,
        IGrainFactory grains,
        IOptions<SessionLimits> limits,
        TimeProvider time)
    {
        _computes = computes;
        _limits = limits.Value;
        _time = time;
        _session = new SessionWriter(sessions, runs, operations, taints, time, DeactivateOnIdle);
        _runs = new SessionRuns(_session, computes, grains, runs, limits.Value);
        _talk = new SessionTalk(_session, computes, limits.Value);
        _import = new SessionImport(_session, limits.Value);
    }

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken) => _session.LoadAsync(this.GetPrimaryKeyString(), cancellationToken);

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> CreateAsync(CreateSession request, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => CreateAsync(request, cancellationToken));

    /// <inheritdoc/>
    public Task<ImportProgress> ImportAsync(ImportPart part, CancellationToken cancellationToken) => _import.AddAsync(part, cancellationToken);

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> UpdateAsync(UpdateSession request, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _session.CommitAsync(_session.Change(SessionRules.Update(_session.Existing, request, _limits), rewrites: true)));

    /// <inheritdoc/>
    public Task<Outcome<long>> AppendAsync(AppendEntries request, Operation? operation, CancellationToken cancellationToken) => _talk.AppendAsync(request, operation);

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> InputAsync(TranscriptEntry entry, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _talk.InputAsync(entry, operation?.Key, cancellationToken));

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> ReportStatusAsync(ReportStatus report, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () =>
        {
            SessionRules.Check(report);
            return report.Status == SessionStatus.Ended ? EndAsync(report.Reason, isEffect: true, cancellationToken) : _talk.ReportAsync(report);
        });

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> ResumeAsync(ComputeChoice? compute, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, async () =>
        {
            var record = _session.Existing;
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

            return await _session.CommitAsync(_session.Change(await _computes.AttachAsync(record, cancellationToken), rewrites: true));
        });

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> PauseAsync(Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => PauseAsync(_session.Existing, _session.Now, cancellationToken));

    /// <inheritdoc/>
    public async Task<TimeSpan> CheckIdleAsync(string sandboxId, ImmutableArray<string> going, CancellationToken cancellationToken)
    {
        if (_session.Record is { } record && record.SandboxId == sandboxId)
        {
            record = await _runs.CloseUnknownAsync(record, going);
            var left = _computes.IdleTimeLeft(record, _session.Going.Count);
            if (left == TimeSpan.Zero)
            {
                // As of the last activity: lists are ordered by that, and this is none.
                await PauseAsync(record, record.UpdatedAt, cancellationToken);
            }

            return left;
        }

        await _session.RequireNewestAsync(cancellationToken);
        await _computes.ReleaseAsync(_session.AccountId, sandboxId);
        return TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> ChangeComputeAsync(ComputeChoice compute, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => ChangeComputeAsync(compute, cancellationToken));

    /// <inheritdoc/>
    public Task<Outcome<SessionStatus>> EndAsync(bool purge, Operation? operation, CancellationToken cancellationToken) =>
        _session.OnceAsync(operation, SessionResults.Default.SessionStatus, static _ => SessionStatus.Ended, async () =>
        {
            await EndAsync(reason: null, isEffect: !purge, cancellationToken);
            if (purge)
            {
                await _session.PurgeAsync(cancellationToken);
            }

            return SessionStatus.Ended;
        });

    /// <inheritdoc/>
    public Task<Outcome<RunRecord>> StartRunAsync(StartRun request, Operation? operation, CancellationToken cancellationToken) =>
        _runs.StartOnceAsync(request, operation, cancellationToken);

    /// <inheritdoc/>
    public Task CompleteRunAsync(RunEnd ended, CancellationToken cancellationToken) => _runs.CompleteAsync(ended);

    /// <inheritdoc/>
    public async Task SandboxLostAsync(string sandboxId, CancellationToken cancellationToken)
    {
        // The news may be old: a call that came first may have brought the sandbox up again.
        if (_session.Record is { Status: SessionStatus.Running } record && record.SandboxId == sandboxId
            && !await _computes.Sandbox(record).IsUpAsync(cancellationToken))
        {
            await _session.CommitAsync(
                _session.Change(record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.LoseSandbox) }, rewrites: true));
        }
    }

    /// <inheritdoc/>
    public Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken) =>
        _session.News.WaitAsync(known, atMost, _time, cancellationToken);

    /// <inheritdoc/>
    public Task OutputRecordedAsync(CancellationToken cancellationToken)
    {
        _session.News.Tell();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<string> GetSandboxAsync(CancellationToken cancellationToken) => Task.FromResult(SessionRules.SandboxOf(_session.Existing));

    /// <inheritdoc/>
    public Task TouchFilesAsync(string sandboxId, CancellationToken cancellationToken) => SessionRules.SandboxOf(_session.Existing) == sandboxId
        ? _session.CommitAsync(_session.Change(_session.Existing, rewrites: false))
        : throw new CerverException(CerverError.Conflict, "The session's compute was exchanged meanwhile, and its files with it. Send the same call again for the new ones.");

    private Task<Outcome<SessionRecord>> ChangeOnceAsync(Operation? operation, Func<Task<SessionRecord>> change) =>
        _session.OnceAsync(operation, SessionResults.Default.SessionRecord, static committed => committed.Next, change);

    private async Task<SessionRecord> CreateAsync(CreateSession request, CancellationToken cancellationToken)
    {
        if (_session.Record is not null)
        {
            throw new CerverException(CerverError.Conflict, "A session with this id exists already.");
        }

        SessionRules.Check(request, _limits);
        request = request with { Task = await _session.RedactAsync(request.Task) };
        var record = SessionRules.NewRecord(request, _session.AccountId, _session.SessionId, _session.Now);
        if (request.Compute.Kind == ComputeChoiceKind.None)
        {
            // Also a session without compute may get some later, so what it asks for must make sense.
            _ = ComputeRequirements.Parse(request.Requirements);
            return await _session.CommitAsync(_session.Change(record, rewrites: true));
        }

        record = await _computes.ChooseAsync(record, request.Compute, request.AllowedProviders);
        try
        {
            record = await _computes.AttachAsync(record, cancellationToken);
            return await _session.CommitAsync(_session.Change(record, rewrites: true));
        }
        catch
        {
            await _computes.ReleaseAsync(record);
            throw;
        }
    }

    private async Task<SessionRecord> EndAsync(string? reason, bool isEffect, CancellationToken cancellationToken)
    {
        var record = _session.Existing;
        if (record.Status == SessionStatus.Ended)
        {
            return record;
        }

        var next = record with
        {
            Status = SessionTransitions.Next(record.Status, SessionTrigger.End),
            SandboxId = null,
            EndReason = record.EndReason == EndReasons.ImportIncomplete ? record.EndReason : reason,
        };
        var ended = record.SandboxId is null ? [] : await _computes.Sandbox(record).SuspendAsync(cancellationToken);
        var committed = await _session.CommitAsync(_session.Going.EndAll(next, ended, _session.Now), isEffect: isEffect);
        await _computes.ReleaseAsync(record);
        return committed;
    }

    private async Task<SessionRecord> PauseAsync(SessionRecord record, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var paused = record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.Pause) };
        if (record.SandboxId is null)
        {
            return record;
        }

        // Also when the status says idle: what counts is that nothing runs when this answers.
        var ended = await _computes.Sandbox(record).SuspendAsync(cancellationToken);
        return paused != record || _session.Going.Count > 0 ? await _session.CommitAsync(_session.Going.EndAll(paused, ended, at)) : record;
    }

    private async Task<SessionRecord> ChangeComputeAsync(ComputeChoice compute, CancellationToken cancellationToken)
    {
        var record = _session.Writable;
        var detached = SessionComputes.Detach(record);
        var next = compute.Kind == ComputeChoiceKind.None
            ? detached
            : await _computes.ChooseAsync(detached, compute, allowedProviders: []);

        // The old files go when it is on disk that they are not needed any more, and the new sandbox if it does not come to that.
        try
        {
            next = next.SandboxId is null ? next : await _computes.AttachAsync(next, cancellationToken);
            var ended = record.SandboxId is null ? [] : await _computes.Sandbox(record).SuspendAsync(cancellationToken);
            next = await _session.CommitAsync(
                _session.Going.EndAll(next, ended, _session.Now, SessionEntries.ComputeSwitched(_session.Now, record.Provider, next.Provider)));
        }
        catch
        {
            await _computes.ReleaseAsync(next);
            throw;
        }

        await _computes.ReleaseAsync(record);
        return next;
    }
}
