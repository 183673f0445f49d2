using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Storage;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>
/// Makes a session of a transcript that was written elsewhere, part by part, each in a transaction of its own. Until the last one is on disk the session says
/// that it is not whole and takes nothing else, so the place to go on at is the length of its transcript, whoever sends the parts and however often.
/// </summary>
/// <param name="session">The session.</param>
/// <param name="limits">What fits into it.</param>
internal sealed class SessionImport(SessionWriter session, SessionLimits limits)
{
    /// <inheritdoc cref="ISessionGrain.ImportAsync"/>
    public async Task<ImportProgress> AddAsync(ImportPart part, CancellationToken cancellationToken)
    {
        var record = session.Record ?? await BeginAsync(part, cancellationToken);
        if (record.EndReason != EndReasons.ImportIncomplete || part.First != record.TranscriptTotal)
        {
            return new(record, IsWhole: record.EndReason != EndReasons.ImportIncomplete, IsNew: false);
        }

        var entries = SessionEntries.Stamp(ImportedEntries.Fit(await session.RedactAsync(part.Entries), limits), session.Now);
        var next = part.IsLast ? Complete(record, part) : record;
        var added = await session.CommitAsync(SessionChange.From(next, NotAfterNow(part.UpdatedAt), rewrites: part.IsLast, entries));
        return new(added, part.IsLast, part.IsLast);
    }

    private async Task<SessionRecord> BeginAsync(ImportPart part, CancellationToken cancellationToken)
    {
        if (part.First > 0)
        {
            throw new CerverException(CerverError.Conflict, "The session was erased while it was being imported. Import the file again if you want it back.");
        }

        await session.RequireErasedAsync(cancellationToken);
        SessionRules.Check(part.Session, limits);
        _ = ComputeRequirements.Parse(part.Session.Requirements);
        var created = NotAfterNow(part.CreatedAt);
        var updated = NotAfterNow(part.UpdatedAt);
        var name = part.Session.SessionName ?? SessionRules.NameFor(await session.RedactAsync(part.Title), session.SessionId, limits.MaxNameCharacters);
        var record = SessionRules.NewRecord(part.Session with { SessionName = name }, session.AccountId, session.SessionId, created < updated ? created : updated);
        return record with { EndReason = EndReasons.ImportIncomplete };
    }

    private static SessionRecord Complete(SessionRecord record, ImportPart part) => part.IsEnded
        ? record with { Status = SessionTransitions.Next(record.Status, SessionTrigger.End), EndReason = part.EndReason }
        : record with { EndReason = null };

    /// <summary>A clock that went ahead elsewhere must not keep a session at the head of every list.</summary>
    private DateTimeOffset NotAfterNow(DateTimeOffset? time) => time is { } said && said < session.Now ? UnixMicroseconds.Round(said) : session.Now;
}
