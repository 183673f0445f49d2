using Cerver.Errors;
using Cerver.Operations;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>What is said in one session: entries that callers add, what its user says, and what its agent says of itself.</summary>
internal sealed class SessionTalk(SessionWriter session, SessionComputes computes, SessionLimits limits)
{
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
    /// <param name="key">The caller's own name for it, or null. It is forgotten when the agent may not have heard it, so that the same call may be made again.</param>
    /// <param name="cancellationToken">Gives up before anything is appended.</param>
    /// <exception cref="CerverException">Also when the entry is on disk and the agent did not hear it.</exception>
    public async Task<SessionRecord> InputAsync(TranscriptEntry entry, string? key, CancellationToken cancellationToken)
    {
        var record = session.Writable;
        SessionRules.CheckInput(entry, limits);
        var wakes = record.ComputeId is not null && (record.Status == SessionStatus.Idle || SessionComputes.IsOnMachine(record));
        var attached = wakes ? await computes.AttachAsync(record, cancellationToken) : record;
        var next = await session.CommitAsync(session.Change(attached, rewrites: attached != record, SessionEntries.Stamp([entry], session.Now)));
        try
        {
            // What was redacted is for the transcript; the agent is told what the user said.
            await computes.TellAgentAsync(next, entry.Content!, CancellationToken.None);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            if (key is not null)
            {
                await session.CommitAsync(session.Change(session.Existing, rewrites: false) with { Forgotten = key });
            }

            var refusal = failure as CerverException;
            throw new CerverException(
                refusal?.Code ?? CerverError.ProviderUnavailable,
                $"The input is entry {next.TranscriptTotal - 1} of the transcript, and the agent may not have heard it. {refusal?.Message ?? "Its machine did not answer."}");
        }

        return next;
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
}
