using Cerver.Errors;
using Cerver.Operations;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>What is said in one session: entries that callers add, what its user says, and what its agent says of itself.</summary>
internal sealed class SessionTalk(SessionWriter session, SessionComputes computes, SessionLimits limits, TimeProvider time)
{
    /// <summary>Together with <see cref="TellPatience"/> it is less than whoever sends an input waits.</summary>
    private static readonly TimeSpan AttachPatience = TimeSpan.FromSeconds(8);

    /// <summary>More than the time that a machine has for its answer, and less than an agent that is opened anew for it may take.</summary>
    private static readonly TimeSpan TellPatience = TimeSpan.FromSeconds(11);

    /// <inheritdoc cref="ISessionGrain.AppendAsync"/>
    public Task<Outcome<long>> AppendAsync(AppendEntries request, Operation? operation) => session.AppendOnceAsync(operation, async appendId =>
    {
        var record = session.Writable;
        SessionRules.Check(request, record, limits);
        var change = session.Change(record, rewrites: false, SessionEntries.Stamp(request.Entries, session.Now)) with { AppendId = appendId };
        return (await session.CommitAsync(change)).TranscriptTotal;
    });

    /// <summary>Adds what the user says and brings the session's compute up, before that: an input whose compute cannot come up is refused having appended nothing.</summary>
    /// <param name="entry">What the user says.</param>
    /// <param name="operation">The name for it, or null. On a machine it counts as carried out when the agent has heard it, and is never carried out again.</param>
    /// <param name="cancellationToken">Gives up before anything is appended.</param>
    /// <exception cref="CerverException">Also when the entry is on disk and the agent may not have heard it.</exception>
    public async Task<SessionRecord> InputAsync(TranscriptEntry entry, Operation? operation, CancellationToken cancellationToken)
    {
        var record = session.Writable;
        SessionRules.CheckInput(entry, limits);
        if (SessionComputes.IsOnMachine(record))
        {
            return await InputOnMachineAsync(record, entry, operation, cancellationToken);
        }

        var wakes = record is { ComputeId: not null, Status: SessionStatus.Idle };
        var attached = wakes ? await computes.AttachAsync(record, cancellationToken) : record;
        return await session.CommitAsync(session.Change(attached, rewrites: wakes, SessionEntries.Stamp([entry], session.Now)));
    }

    /// <summary>Takes what a relay says of the agent that it drives, which has not ended. Whether compute of ours is up nobody else can say.</summary>
    public async Task<SessionRecord> ReportAsync(ReportStatus report)
    {
        var record = session.Writable;
        if (!SessionComputes.IsOnMachine(record) || (report.Status == SessionStatus.Running && !await computes.Sandbox(record).IsUpAsync()))
        {
            return record;
        }

        var next = record with { Status = report.Status, EndReason = report.Reason };
        return next == record ? record : await session.CommitAsync(session.Change(next, rewrites: true));
    }

    private async Task<SessionRecord> InputOnMachineAsync(SessionRecord record, TranscriptEntry entry, Operation? operation, CancellationToken cancellationToken)
    {
        var attached = await AttachAsync(record, cancellationToken);
        var change = session.Change(attached, rewrites: attached != record, SessionEntries.Stamp([entry], session.Now));
        var next = await session.BeginAsync(change, NotHeard(change.Next.TranscriptTotal));
        if (await TellAsync(next, entry.Content!) is { } reason)
        {
            throw new CerverException(CerverError.ProviderUnavailable, $"{NotHeard(next.TranscriptTotal)} {reason}");
        }

        return operation is null ? next : await CompleteAsync(next);
    }

    /// <summary>Tells the agent what the user says.</summary>
    /// <returns>Why the agent may not have heard it, or null when it has. No code, or it would promise that nothing was changed.</returns>
    private async Task<string?> TellAsync(SessionRecord record, string text)
    {
        using var limit = new CancellationTokenSource(TellPatience, time);
        try
        {
            // What was redacted is for the transcript; the agent is told what the user said.
            return await computes.TellAgentAsync(record, text, limit.Token);
        }
        catch (CerverException failure) when (failure.Code == CerverError.ComputeOffline)
        {
            return "The machine cannot be reached.";
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException or OperationCanceledException)
        {
            return "The machine did not say that it has taken it.";
        }
    }

    private async Task<SessionRecord> CompleteAsync(SessionRecord told)
    {
        try
        {
            return await session.CompleteAsync(session.Change(told, rewrites: false));
        }
        catch (CerverException)
        {
            // The store has said why in the log. The input is on disk and the agent has heard it, which is all that was asked for; who asks again hears that it may not have.
            return told;
        }
    }

    private async Task<SessionRecord> AttachAsync(SessionRecord record, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AttachPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await computes.AttachAsync(record, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CerverException(
                CerverError.ProviderUnavailable, "The machine takes long to bring up what the session runs in, and goes on with it; nothing was appended. Send the same input again in a moment.");
        }
    }

    /// <summary>Nobody but the caller can know whether to say it again.</summary>
    private static string NotHeard(long total) =>
        $"The input is entry {total - 1} of the transcript, and the agent may not have heard it. Send it under a new Idempotency-Key to say it again.";
}
