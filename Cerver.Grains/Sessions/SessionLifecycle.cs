using Cerver.Computes;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>How one session comes to be and ends, and how its compute comes up, goes down and is exchanged between the two.</summary>
internal sealed class SessionLifecycle(SessionWriter session, SessionComputes computes, SessionLimits limits)
{
    /// <inheritdoc cref="ISessionGrain.CreateAsync"/>
    public async Task<SessionRecord> CreateAsync(CreateSession request, CancellationToken cancellationToken)
    {
        if (session.Record is not null)
        {
            throw new CerverException(CerverError.Conflict, "A session with this id exists already.");
        }

        SessionRules.Check(request, limits);
        request = request with { Task = await session.RedactAsync(request.Task) };
        var record = SessionRules.NewRecord(request, session.AccountId, session.SessionId, session.Now);
        if (request.Compute.Kind == ComputeChoiceKind.None)
        {
            // Also a session without compute may get some later, so what it asks for must make sense.
            _ = ComputeRequirements.Parse(request.Requirements);
            return await session.CommitAsync(session.Change(record, rewrites: true));
        }

        record = await computes.ChooseAsync(record, request.Compute, request.AllowedProviders);
        try
        {
            record = await computes.AttachAsync(record, cancellationToken);
            return await session.CommitAsync(session.Change(record, rewrites: true));
        }
        catch
        {
            await computes.ReleaseAsync(record);
            throw;
        }
    }

    /// <inheritdoc cref="ISessionGrain.ResumeAsync"/>
    public async Task<SessionRecord> ResumeAsync(ComputeChoice? compute, CancellationToken cancellationToken)
    {
        var record = session.Existing;
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

        return await session.CommitAsync(session.Change(await computes.AttachAsync(record, cancellationToken), rewrites: true));
    }

    /// <inheritdoc cref="ISessionGrain.PauseAsync"/>
    /// <param name="record">The session as it is.</param>
    /// <param name="at">The time that its change bears, by which lists are ordered.</param>
    /// <param name="cancellationToken">Gives up before the compute goes down.</param>
    public async Task<SessionRecord> PauseAsync(SessionRecord record, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var paused = record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.Pause) };
        if (record.SandboxId is null)
        {
            return record;
        }

        // Also when the status says idle: what counts is that nothing runs when this answers.
        var ended = await computes.Sandbox(record).SuspendAsync(cancellationToken);
        return paused != record || session.Going.Count > 0 ? await session.CommitAsync(session.Going.EndAll(paused, ended, at)) : record;
    }

    /// <inheritdoc cref="ISessionGrain.SandboxLostAsync"/>
    public async Task LoseSandboxAsync(string sandboxId, CancellationToken cancellationToken)
    {
        // The news may be old: a call that came first may have brought the sandbox up again.
        if (session.Record is { Status: SessionStatus.Running } record && record.SandboxId == sandboxId
            && !await computes.Sandbox(record).IsUpAsync(cancellationToken))
        {
            await session.CommitAsync(
                session.Change(record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.LoseSandbox) }, rewrites: true));
        }
    }

    /// <inheritdoc cref="ISessionGrain.ChangeComputeAsync"/>
    public async Task<SessionRecord> ChangeComputeAsync(ComputeChoice compute, CancellationToken cancellationToken)
    {
        var record = session.Writable;
        var detached = SessionComputes.Detach(record);
        var next = compute.Kind == ComputeChoiceKind.None
            ? detached
            : await computes.ChooseAsync(detached, compute, allowedProviders: []);

        // The old files go when it is on disk that they are not needed any more, and the new sandbox if it does not come to that.
        try
        {
            next = next.SandboxId is null ? next : await computes.AttachAsync(next, cancellationToken);
            var ended = record.SandboxId is null ? [] : await computes.Sandbox(record).SuspendAsync(cancellationToken);
            next = await session.CommitAsync(
                session.Going.EndAll(next, ended, session.Now, SessionEntries.ComputeSwitched(session.Now, record.Provider, next.Provider)));
        }
        catch
        {
            await computes.ReleaseAsync(next);
            throw;
        }

        await computes.ReleaseAsync(record);
        return next;
    }

    /// <summary>Ends the session, and every run in it. One that has ended stays as it is.</summary>
    /// <param name="reason">What is told of the end, or null.</param>
    /// <param name="isEffect">Whether this is the whole of what was asked for; false when what follows makes it so.</param>
    /// <param name="cancellationToken">Gives up before the compute goes down.</param>
    public async Task<SessionRecord> EndAsync(string? reason, bool isEffect, CancellationToken cancellationToken)
    {
        var record = session.Existing;
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
        var ended = record.SandboxId is null ? [] : await computes.Sandbox(record).SuspendAsync(cancellationToken);
        var committed = await session.CommitAsync(session.Going.EndAll(next, ended, session.Now), isEffect: isEffect);
        await computes.ReleaseAsync(record);
        return committed;
    }
}
