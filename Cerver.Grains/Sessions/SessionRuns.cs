using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Runs;
using Cerver.Operations;
using Cerver.Runs;
using Cerver.Secrets;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>Starts the runs of one session and records how they end.</summary>
internal sealed class SessionRuns(SessionWriter session, SessionComputes computes, IGrainFactory grains, IRunStore runs, SessionLimits limits)
{
    /// <summary>Starts a run, or finds the one that was started under the same key.</summary>
    public async Task<Outcome<RunRecord>> StartOnceAsync(StartRun request, Operation? operation, CancellationToken cancellationToken)
    {
        RunRecord? run = null;
        var started = await session.OnceAsync(operation, SessionResults.Default.String, _ => request.RunId, async () =>
        {
            run = await StartAsync(request, operation?.Key, cancellationToken);
            return run.RunId;
        });
        run ??= await runs.FindAsync(session.AccountId, session.SessionId, started.Value, cancellationToken);
        return new(run ?? throw new CerverException(CerverError.NotFound, "The run is gone: its session was erased."), started.IsReplayed);
    }

    /// <summary>Records how a run ended. One that ended before is left as it is.</summary>
    public async Task CompleteAsync(RunEnd ended)
    {
        if (session.Record is { } record && session.Going.Contains(ended.RunId))
        {
            await session.CommitAsync(session.Going.End(record, [ended], session.Now));
        }
    }

    /// <summary>Closes runs as lost that their sandbox does not know and that are too old to be about to start. It is no activity.</summary>
    /// <remarks>A start that failed together with the commit that would have said so leaves one; nobody else closes it, and it would keep the sandbox up.</remarks>
    /// <param name="record">The session.</param>
    /// <param name="known">The runs that the sandbox has going.</param>
    /// <returns>The record after that.</returns>
    public async Task<SessionRecord> CloseUnknownAsync(SessionRecord record, ImmutableArray<string> known)
    {
        var now = session.Now;
        return session.Going.LostAmong(known, now) is { IsEmpty: false } lost
            ? await session.CommitAsync(session.Going.End(record, [.. lost.Select(runId => RunEnd.Lost(runId, now))], record.UpdatedAt))
            : record;
    }

    private async Task<RunRecord> StartAsync(StartRun request, string? key, CancellationToken cancellationToken)
    {
        var record = session.Writable;
        SessionRules.Check(request, limits);
        if (await runs.FindAsync(session.AccountId, session.SessionId, request.RunId, cancellationToken) is { } known)
        {
            return known;
        }

        SessionRules.CheckRunnable(record, session.Going.Count, limits);
        var runtime = await computes.RuntimeAsync(record, request.Runtime);
        var (secrets, accesses) = await InjectAsync(record, request, cancellationToken);
        var attached = await computes.AttachAsync(record, cancellationToken);
        var run = new RunRecord(
            request.RunId, record.SessionId, attached.SandboxId!, runtime, (await session.RedactAsync(request.Code))!, RunStatus.Running, ExitCode: null, Truncated: false, OutputHead: 0,
            session.Now, EndedAt: null);
        var counted = attached with { Metrics = attached.Metrics with { RunCount = attached.Metrics.RunCount + 1 } };
        await session.CommitAsync(session.Change(counted, rewrites: true, [.. accesses, SessionEntries.RunStarted(run)]) with { Started = run });
        try
        {
            await computes.Sandbox(attached).StartAsync(
                new SandboxRun(run.RunId, request.Code, runtime, request.Timeout ?? limits.DefaultRunTimeout, request.Environment, secrets), cancellationToken);
        }
        catch (Exception failure)
        {
            // One that was refused did not start, and whoever sends it again under the same key means it. Otherwise it may have started, and must not start twice.
            var ended = session.Going.End(session.Existing, [RunEnd.Lost(run.RunId, session.Now)], session.Now);
            var isRefused = failure is CerverException or (OrleansMessageRejectionException and not SiloUnavailableException);
            await session.CommitAsync(isRefused ? ended with { Forgotten = key } : ended);
            throw;
        }

        return run;
    }

    /// <summary>What the run gets of secrets, and what the transcript says of it. A refusal stands there too.</summary>
    private async Task<(ImmutableArray<FetchedSecret> Secrets, ImmutableArray<TranscriptEntry> Accesses)> InjectAsync(
        SessionRecord record, StartRun request, CancellationToken cancellationToken)
    {
        var names = SessionSecrets.Needed(record, request);
        if (names.IsEmpty)
        {
            return ([], []);
        }

        var injection = await grains.GetGrain<ISecretGrain>(SecretKey.For(record.AccountId))
            .InjectAsync(new InjectSecrets(names, record.SessionId, request.RunId, request.Key), cancellationToken);
        ImmutableArray<TranscriptEntry> accesses = [.. injection.Accesses.Select(SessionEntries.SecretAccessed)];
        if (injection.Refusal is null)
        {
            return (injection.Secrets, accesses);
        }

        await session.CommitAsync(session.Change(record, rewrites: false, accesses), isEffect: false);
        throw injection.Refusal;
    }
}
