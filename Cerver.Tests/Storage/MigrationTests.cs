using Cerver.Grains.Search.Sqlite;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Sessions;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Storage;

/// <summary>What an older version wrote, read by this one.</summary>
public sealed class MigrationTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("cerver-migration-").FullName, "cerver.db");

    [Fact]
    public async Task A_session_from_before_there_were_events_has_its_entries_and_its_status()
    {
        var database = new SqliteDatabase(_path);
        Execute(database, SqlText.Load("Storage/Sqlite/0001_sessions_and_runs.sql"));
        Execute(database, """
            insert into session (session_id, account_id, session_name, status, provider, run_count, run_time_ms, created_at, updated_at, transcript_total, version)
            values ('old', 'a', '', 2, 'none', 0, 0, 1, 7, 2, 3);
            insert into transcript_entry (session_id, position, at, role, kind, content) values ('old', 0, 1, 1, 'text', 'x'), ('old', 1, 1, 1, 'text', 'y');
            pragma user_version = 1;
            """);

        database.Migrate(prefix: "");

        using var readers = new SqliteReaders(database, NullLogger<SqliteReaders>.Instance);
        await using var pipeline = new SqliteCommitPipeline(database, new StorageFailure(), NullLogger<SqliteCommitPipeline>.Instance);
        var page = await new SqliteSessionStore(
            readers, pipeline, new SqlitePurge(readers, pipeline, TimeProvider.System, NullLogger<SqlitePurge>.Instance), new SqliteSearchIndex(), TestStores.Searching, TimeProvider.System).ReadEventsAsync("a", "old", from: 0, CancellationToken.None);
        Assert.Collection(
            page!.Events,
            first => Assert.Equal("x", Assert.IsType<EntryAdded>(first).Entry.Content),
            second => Assert.Equal("y", Assert.IsType<EntryAdded>(second).Entry.Content),
            last => Assert.Equal((2L, SessionStatus.Ended), (last.Position, Assert.IsType<StatusChanged>(last).Status)));
        Assert.Equal(3, page.Head);
        using var connection = database.OpenReadOnly();
        Assert.Empty(SqliteCheck.FindViolations(connection));
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);
    }

    private static void Execute(SqliteDatabase database, string statements)
    {
        using var connection = database.Open();
        using var command = connection.CreateCommand();
        command.CommandText = statements;
        command.ExecuteNonQuery();
    }
}
