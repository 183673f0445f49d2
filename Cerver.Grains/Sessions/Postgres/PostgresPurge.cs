using System.Runtime.InteropServices;
using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Grains.Search;
using Cerver.Grains.Search.Postgres;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cerver.Grains.Sessions.Postgres;

/// <summary>
/// Erases sessions. One is out of sight with the first commit. Its rows go in parts after that; what is left of it meanwhile is in the table <c>purge</c>, and
/// whoever erases a part holds its row there, so that two erasures of the same session, in whatever processes, do no more than one.
/// </summary>
internal sealed partial class PostgresPurge(PostgresConnections connections, TimeProvider time, ILogger<PostgresPurge> logger)
{
    private const int IndexMilliseconds = 5_000;

    private static readonly ImmutableArray<Func<string, NpgsqlBatchCommand[]>> Parts =
    [
        Unindex, Erase("Sessions/Postgres/purge_entries.sql"), Erase("Sessions/Postgres/purge_output.sql"), Erase("Sessions/Postgres/purge_events.sql"),
        Erase("Sessions/Postgres/purge_operations.sql"),
    ];

    /// <summary>Erases a session. Once it is out of sight this succeeds, whatever becomes of its rows: <see cref="ResumeAsync"/> goes on with them.</summary>
    /// <inheritdoc cref="ISessionStore.PurgeAsync"/>
    /// <exception cref="CerverException">The session could not be taken out of sight.</exception>
    public async Task RunAsync(string accountId, string sessionId, RecordedOperation? operation, CancellationToken cancellationToken)
    {
        NpgsqlBatchCommand[] begin =
        [
            new PostgresStatement("Sessions/Postgres/lock.sql").Texts([sessionId]).ToCommand(),
            new PostgresStatement("Sessions/Postgres/purge_begin.sql").Text(accountId).Text(sessionId).ToCommand(),
            new PostgresStatement("Search/Postgres/purge_backlog.sql").Text(sessionId).Text(accountId).ToCommand(),
            new PostgresStatement("Sessions/Postgres/purge_session.sql").Text(accountId).Text(sessionId).ToCommand(),
        ];
        await connections.WriteAsync(cancellationToken, operation is null ? begin : [.. begin, .. Record(accountId, operation)]);
        try
        {
            await EraseAsync(sessionId, cancellationToken);
        }
#pragma warning disable CA1031 // For the caller the session is gone, and there is nothing that could be repeated.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogLeft(failure, sessionId);
        }
    }

    /// <summary>Goes on with every erasure that was not finished.</summary>
    /// <exception cref="CerverException">One of them failed; it and those after it are still to be done.</exception>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        var unfinished = await connections.ReadAsync(
            new PostgresStatement("Sessions/Postgres/list_purges.sql"),
            static (rows, cancellation) => rows.ReadAllAsync(static row => row.Text(0), cancellation),
            cancellationToken);
        foreach (var sessionId in unfinished)
        {
            await EraseAsync(sessionId, cancellationToken);
        }
    }

    /// <summary>It belongs to no session, or it would be erased with this one.</summary>
    private NpgsqlBatchCommand[] Record(string accountId, RecordedOperation operation)
    {
        var now = time.GetUtcNow();
        var expired = new PostgresTable("Operations/Postgres/remove_expired.sql").Row()
            .Text(accountId).Text(operation.Key).Number(UnixMicroseconds.From(now - IOperationStore.Lifetime));
        var recorded = new PostgresTable("Operations/Postgres/insert.sql").Row()
            .Number(0).Text("").Text(accountId).Text(operation.Key).Bytes(ImmutableCollectionsMarshal.AsArray(operation.RequestHash)!).Text(operation.Result)
            .Number(UnixMicroseconds.From(now));
        return [expired.ToCommand(), recorded.ToCommand()];
    }

    private static Func<string, NpgsqlBatchCommand[]> Erase(string path) =>
        sessionId => [new PostgresStatement(path).Text(sessionId).Number(SessionPages.ErasedAtOnce).ToCommand()];

    private static NpgsqlBatchCommand[] Unindex(string sessionId) =>
    [
        PostgresSearchStore.Begin(IndexMilliseconds).ToCommand(),
        new PostgresStatement("Search/Postgres/purge.sql").Text(sessionId).Number(SessionPages.ErasedAtOnce).Text(TsQuery.OfMark(SearchMarks.OfSession(sessionId))).ToCommand(),
    ];

    private async Task EraseAsync(string sessionId, CancellationToken cancellationToken)
    {
        foreach (var part in Parts)
        {
            long erased = SessionPages.ErasedAtOnce;
            while (erased == SessionPages.ErasedAtOnce)
            {
                erased = await connections.WriteAsync(cancellationToken, [Lock(sessionId), .. part(sessionId)]);
            }
        }

        await connections.WriteAsync(
            cancellationToken,
            Lock(sessionId),
            new PostgresStatement("Sessions/Postgres/purge_end.sql").Text(sessionId).ToCommand(),
            new PostgresStatement("Sessions/Postgres/purge_done.sql").Text(sessionId).ToCommand());
    }

    private static NpgsqlBatchCommand Lock(string sessionId) => new PostgresStatement("Sessions/Postgres/purge_lock.sql").Text(sessionId).ToCommand();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The session {SessionId} is out of sight, but not all of its rows are erased yet; that goes on within the hour")]
    private partial void LogLeft(Exception failure, string sessionId);
}
