using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Grains.Operations.Sqlite;
using Cerver.Grains.Search.Sqlite;
using Cerver.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Sessions.Sqlite;

/// <summary>
/// Erases sessions. One is out of sight with the first commit. Its rows go in parts after that, so that other sessions' commits are not held up;
/// what is left of it meanwhile is in the table <c>purge</c>. Two erasures of the same session do no more than one.
/// </summary>
internal sealed partial class SqlitePurge(SqliteReaders readers, SqliteCommitPipeline pipeline, TimeProvider time, ILogger<SqlitePurge> logger)
{
    /// <summary>The index is told the words of what it is to forget, so it comes before the entries.</summary>
    private static readonly ImmutableArray<Func<SqliteStatements, string, int, int>> Parts =
    [
        SqliteSearchIndex.Remove, Erase("Sessions/Sqlite/purge_entries.sql"), Erase("Sessions/Sqlite/purge_output.sql"), Erase("Sessions/Sqlite/purge_events.sql"),
        Erase("Sessions/Sqlite/purge_operations.sql"),
    ];

    /// <summary>Erases a session. Once it is out of sight this succeeds, whatever becomes of its rows: <see cref="ResumeAsync"/> goes on with them.</summary>
    /// <inheritdoc cref="ISessionStore.PurgeAsync"/>
    /// <exception cref="CerverException">The session could not be taken out of sight.</exception>
    public async Task RunAsync(string accountId, string sessionId, RecordedOperation? operation, CancellationToken cancellationToken)
    {
        await pipeline.CommitAsync(
            statements =>
            {
                statements.Execute("Sessions/Sqlite/purge_begin.sql", accountId, sessionId);
                if (statements.Execute("Sessions/Sqlite/purge_session.sql", accountId, sessionId) == 1)
                {
                    statements.Execute("Search/Sqlite/purge_backlog.sql", sessionId);
                }

                if (operation is not null)
                {
                    // It belongs to no session, or it would be erased with this one.
                    SqliteOperationStore.Insert(statements, accountId, sessionId: "", operation, time.GetUtcNow());
                }
            },
            bytes: 0,
            cancellationToken);
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
        var unfinished = await readers.ReadAsync(statements =>
        {
            using var rows = statements.Query("Sessions/Sqlite/list_purges.sql");
            var sessionIds = new List<string>();
            while (rows.Read())
            {
                sessionIds.Add(rows.GetString(0));
            }

            return sessionIds;
        });
        foreach (var sessionId in unfinished)
        {
            await EraseAsync(sessionId, cancellationToken);
        }
    }

    private static Func<SqliteStatements, string, int, int> Erase(string path) => (statements, sessionId, limit) => statements.Execute(path, sessionId, limit);

    private async Task EraseAsync(string sessionId, CancellationToken cancellationToken)
    {
        foreach (var part in Parts)
        {
            var erased = SessionPages.ErasedAtOnce;
            while (erased == SessionPages.ErasedAtOnce)
            {
                await pipeline.CommitAsync(statements => erased = part(statements, sessionId, SessionPages.ErasedAtOnce), bytes: 0, cancellationToken);
            }
        }

        await pipeline.CommitErasureAsync(
            statements =>
            {
                statements.Execute("Sessions/Sqlite/purge_end.sql", sessionId);
                statements.Execute("Sessions/Sqlite/purge_done.sql", sessionId);
            },
            cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The session {SessionId} is out of sight, but not all of its rows are erased yet; that goes on within the hour")]
    private partial void LogLeft(Exception failure, string sessionId);
}
