using System.Runtime.InteropServices;
using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Grains.Runs;
using Cerver.Grains.Search;
using Cerver.Grains.Search.Postgres;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions.Postgres;

/// <summary>A change that the writer of a session made, as rows.</summary>
/// <param name="change">The change.</param>
/// <param name="documents">What the index is to know of its entries, in their order; some may have nothing for it.</param>
/// <param name="now">The time, for the operation of which it is the effect.</param>
internal sealed class PostgresSessionChange(SessionChange change, ImmutableArray<SearchDocument> documents, DateTimeOffset now) : PostgresChange(
    change.Next.SessionId,
    change.Recorded is { } operation ? (change.Next.AccountId, operation.Key) : null,
    BaseBytes + change.Entries.Sum(SessionEntries.SizeOf))
{
    private const int BaseBytes = 512;

    /// <inheritdoc/>
    public override bool LocksSession => !change.IsNew;

    /// <inheritdoc/>
    public override CerverException Refusal(bool sessionExists) => new(CerverError.Fenced, "Somebody else wrote to this session first. Try again.");

    /// <inheritdoc/>
    public override void AddTo(PostgresBatch batch, long ordinal)
    {
        AddSession(batch, ordinal);
        AddEntries(batch, ordinal);
        if (change.Started is { } run)
        {
            AddRun(batch, ordinal, run);
        }

        foreach (var ended in change.Ended)
        {
            AddEnd(batch, ordinal, ended);
        }

        AddEvents(batch, ordinal);
        if (change.Forgotten is { } key)
        {
            batch.Row("Operations/Postgres/forget.sql").Number(ordinal).Text(SessionId).Text(change.Next.AccountId).Text(key);
        }

        if (change.Recorded is { } operation)
        {
            AddOperation(batch, ordinal, operation);
        }

        if (change.Completed is { } completed)
        {
            batch.Row("Operations/Postgres/complete.sql").Number(ordinal).Text(SessionId).Text(change.Next.AccountId).Text(completed.Key).Text(completed.Result);
        }
    }

    private void AddSession(PostgresBatch batch, long ordinal)
    {
        var session = change.Next;
        var row = batch.Row(change switch
        {
            { IsNew: true } => "Sessions/Postgres/insert.sql",
            { RewritesRecord: true } => "Sessions/Postgres/update.sql",
            _ => "Sessions/Postgres/touch.sql",
        });
        row.Number(ordinal).Text(session.SessionId).Text(session.AccountId).Number(session.Version - 1).Number(UnixMicroseconds.From(session.UpdatedAt))
            .Number(session.TranscriptTotal).Number(SessionEventPager.EventsOf(change).Count()).Text(change.Recorded?.Key)
            .Number(UnixMicroseconds.From(now - IOperationStore.Lifetime));
        if (change.IsNew || change.RewritesRecord)
        {
            row.Text(session.SessionName).Text(session.SessionName.ToLowerInvariant()).Number((long)session.Status).Text(session.EndReason).Text(session.Provider)
                .Text(session.ComputeId).Text(session.SandboxId).Text(session.Metadata).Text(SessionPages.SourceOf(session.Metadata))
                .Number(session.Metrics.ProvisionTimeMs).Number(session.Metrics.RunCount).Number(session.Metrics.RunTimeMs);
        }

        if (change.IsNew)
        {
            row.Text(session.SessionType).Text(session.Harness).Text(session.Task).Text(session.Workload).Text(session.Requirements)
                .Text(session.ParentSessionId).Text(session.PreviousSessionId).Number(UnixMicroseconds.From(session.CreatedAt));
        }
    }

    private void AddEntries(PostgresBatch batch, long ordinal)
    {
        var position = change.Next.TranscriptTotal - change.Entries.Length;
        var indexed = 0;
        foreach (var entry in change.Entries)
        {
            var appendId = position == change.Next.TranscriptTotal - 1 ? change.AppendId : null;
            var document = indexed < documents.Length && documents[indexed].Position == position ? documents[indexed++] : null;
            batch.Row("Sessions/Postgres/insert_entry.sql").Number(ordinal).Text(SessionId).Number(position++).Number(UnixMicroseconds.From(entry.At!.Value))
                .Number((long)entry.Role).Text(entry.Kind).Text(entry.Content).Text(entry.ToolId).Text(entry.ToolName).Text(entry.ToolInput).Flag(entry.IsError)
                .Id(appendId).Number(document?.Length).Text(document is null ? null : TsVector.Write(document));
        }
    }

    private void AddRun(PostgresBatch batch, long ordinal, RunRecord run) =>
        batch.Row("Runs/Postgres/insert.sql").Number(ordinal).Text(SessionId).Text(run.RunId).Text(change.Next.AccountId).Text(run.SandboxId)
            .Number((long)run.Runtime).Text(run.Code).Number(UnixMicroseconds.From(run.StartedAt));

    private void AddEnd(PostgresBatch batch, long ordinal, RunEnd ended) =>
        batch.Row("Runs/Postgres/end.sql").Number(ordinal).Text(SessionId).Text(ended.RunId).Number((long)ended.Status).Number(ended.ExitCode)
            .Flag(ended.Truncated).Number(ended.OutputHead).Number(UnixMicroseconds.From(ended.EndedAt));

    private void AddEvents(PostgresBatch batch, long ordinal)
    {
        var remaining = SessionEventPager.EventsOf(change).Count();
        foreach (var row in SessionEventPager.EventsOf(change))
        {
            batch.Row("Sessions/Postgres/insert_event.sql").Number(ordinal).Text(SessionId).Number(remaining--).Number((long)row.Kind).Text(row.RunId)
                .Number(row.Kind == SessionEventKind.Status ? (long)row.Status : null).Text(row.EndReason);
        }
    }

    private void AddOperation(PostgresBatch batch, long ordinal, RecordedOperation operation)
    {
        batch.Row("Operations/Postgres/remove_expired.sql").Text(change.Next.AccountId).Text(operation.Key).Number(UnixMicroseconds.From(now - IOperationStore.Lifetime));
        batch.Row("Operations/Postgres/insert.sql").Number(ordinal).Text(SessionId).Text(change.Next.AccountId).Text(operation.Key)
            .Bytes(ImmutableCollectionsMarshal.AsArray(operation.RequestHash)!).Text(operation.Result).Number(UnixMicroseconds.From(now));
    }
}
