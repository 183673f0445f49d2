using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Npgsql;

namespace Cerver.Bench.Sessions;

/// <summary>Fills the database of a cluster behind the gateway's back, because a million appends would take minutes.</summary>
internal static class PostgresFill
{
    private const int StatementSeconds = 600;

    /// <summary>Gives a session, which has none, so many entries.</summary>
    public static Task AddEntriesAsync(ClusterProcesses cluster, string session, int entries, CancellationToken cancellationToken) => RunAsync(
        cluster,
        $"""
        insert into transcript_entry (session_id, position, at, role, kind, content)
        select '{session}', number, created_at + number, 1, 'text', '{Entries.Content}'
        from session, generate_series(0, {entries - 1}) as number
        where session_id = '{session}';
        update session set transcript_total = {entries} where session_id = '{session}';
        """,
        cancellationToken);

    /// <summary>
    /// Copies a session, so that its account has so many in all. The copies are older than it, a second apart and each in a group of
    /// changes of its own, as those that people make: of what has one place in an index nothing is found by the index.
    /// </summary>
    public static Task AddSessionsAsync(ClusterProcesses cluster, string session, int sessions, CancellationToken cancellationToken) => RunAsync(
        cluster,
        $"""
        insert into session (
            session_id, account_id, session_name, search_name, status, session_type, harness, provider, metadata, source, run_count, run_time_ms, created_at,
            updated_at, transcript_total, event_total, change, version)
        select '01940000-0000-7000-8000-' || to_char(number, 'FM000000000000'), account_id, session_name, search_name, status, session_type, harness, provider,
               metadata, source, run_count, run_time_ms, created_at - ({sessions} - number)::bigint * 1000000, updated_at - ({sessions} - number)::bigint * 1000000,
               transcript_total, event_total, change + (number::bigint << 16), version
        from session, generate_series(1, {sessions - 1}) as number
        where session_id = '{session}';
        """,
        cancellationToken);

    /// <summary>
    /// What the server does by itself a while after so much was written; it must not do it in the middle of a measurement.
    /// </summary>
    public static async Task SettleAsync(ClusterProcesses cluster, CancellationToken cancellationToken)
    {
        await RunAsync(cluster, "vacuum analyze", cancellationToken);
        await RunAsync(cluster, "checkpoint", cancellationToken);
    }

    /// <summary>Runs statements in the gateway's database, several in one transaction.</summary>
    public static async Task RunAsync(ClusterProcesses cluster, string statements, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(cluster.Connection) { Pooling = false }.ToString());
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The statements are the bench's own.
        command.CommandText = statements;
#pragma warning restore CA2100
        command.CommandTimeout = StatementSeconds;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
