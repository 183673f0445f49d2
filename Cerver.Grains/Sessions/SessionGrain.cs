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
    private readonly SessionLifecycle _life;
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
        _life = new SessionLifecycle(_session, computes, limits.Value);
        _talk = new SessionTalk(_session, computes, limits.Value, time);
        _import = new SessionImport(_session, limits.Value);
    }

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken) => _session.LoadAsync(this.GetPrimaryKeyString(), cancellationToken);

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> CreateAsync(CreateSession request, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _life.CreateAsync(request, cancellationToken));

    /// <inheritdoc/>
    public Task<ImportProgress> ImportAsync(ImportPart part, CancellationToken cancellationToken) => _import.AddAsync(part, cancellationToken);

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> UpdateAsync(UpdateSession request, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _session.CommitAsync(_session.Change(SessionRules.Update(_session.Existing, request, _limits), rewrites: true)));

    /// <inheritdoc/>
    public Task<Outcome<long>> AppendAsync(AppendEntries request, Operation? operation, CancellationToken cancellationToken) => _talk.AppendAsync(request, operation);

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> InputAsync(TranscriptEntry entry, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _talk.InputAsync(entry, operation, cancellationToken));

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> ReportStatusAsync(ReportStatus report, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () =>
        {
            SessionRules.Check(report);
            return report.Status == SessionStatus.Ended ? _life.EndAsync(report.Reason, isEffect: true, cancellationToken) : _talk.ReportAsync(report);
        });

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> ResumeAsync(ComputeChoice? compute, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _life.ResumeAsync(compute, cancellationToken));

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> PauseAsync(Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _life.PauseAsync(_session.Existing, _session.Now, cancellationToken));

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
                await _life.PauseAsync(record, record.UpdatedAt, cancellationToken);
            }

            return left;
        }

        await _session.RequireNewestAsync(cancellationToken);
        await _computes.ReleaseAsync(_session.AccountId, sandboxId);
        return TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public Task<Outcome<SessionRecord>> ChangeComputeAsync(ComputeChoice compute, Operation? operation, CancellationToken cancellationToken) =>
        ChangeOnceAsync(operation, () => _life.ChangeComputeAsync(compute, cancellationToken));

    /// <inheritdoc/>
    public Task<Outcome<SessionStatus>> EndAsync(bool purge, Operation? operation, CancellationToken cancellationToken) =>
        _session.OnceAsync(operation, SessionResults.Default.SessionStatus, static _ => SessionStatus.Ended, async () =>
        {
            await _life.EndAsync(reason: null, isEffect: !purge, cancellationToken);
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
    public Task SandboxLostAsync(string sandboxId, CancellationToken cancellationToken) => _life.LoseSandboxAsync(sandboxId, cancellationToken);

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
}
