using Cerver.Errors;
using Cerver.Grains.Search.Sqlite;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Storage;

public sealed class SqliteCommitPipelineTests
{
    [Fact]
    public async Task What_is_acknowledged_is_there_for_another_connection()
    {
        using var database = new TemporaryDatabase();
        await using var pipeline = NewPipeline(database);

        await pipeline.CommitAsync(statements => Insert(statements, "run_a", 1), bytes: 1, CancellationToken.None);

        Assert.Equal(1L, database.Scalar("select count(*) from run_output"));
    }

    [Fact]
    public async Task A_conflict_in_a_batch_fails_that_change_alone_and_wholly()
    {
        using var database = new TemporaryDatabase();
        await using var pipeline = NewPipeline(database);
        using var release = new ManualResetEventSlim();
        var held = pipeline.CommitAsync(_ => release.Wait(), bytes: 1, CancellationToken.None);

        // All of these wait for the held one and so go into one batch.
        var first = pipeline.CommitAsync(statements => Insert(statements, "run_a", 1), bytes: 1, CancellationToken.None);
        var conflicting = pipeline.CommitAsync(
            statements =>
            {
                Insert(statements, "run_b", 1);
                Insert(statements, "run_a", 1);
            },
            bytes: 1,
            CancellationToken.None);
        var last = pipeline.CommitAsync(statements => Insert(statements, "run_c", 1), bytes: 1, CancellationToken.None);
        release.Set();
        await Task.WhenAll(held, first, last);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => conflicting);
        Assert.Equal(CerverError.Fenced, refusal.Code);
        Assert.Equal("run_a,run_c", database.Scalar("select group_concat(run_id) from (select run_id from run_output order by run_id)"));
    }

    [Fact]
    public async Task A_mistake_in_one_change_does_not_take_the_writer_with_it()
    {
        using var database = new TemporaryDatabase();
        await using var pipeline = NewPipeline(database);

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => pipeline.CommitAsync(_ => throw new InvalidOperationException("mistake"), bytes: 1, CancellationToken.None));
        await pipeline.CommitAsync(statements => Insert(statements, "run_a", 1), bytes: 1, CancellationToken.None);

        Assert.Equal(1L, database.Scalar("select count(*) from run_output"));
    }

    [Fact]
    public async Task A_database_that_refuses_is_tried_again_with_the_next_batch()
    {
        using var database = new TemporaryDatabase();
        await using var pipeline = NewPipeline(database);

        var refusal = await Assert.ThrowsAsync<CerverException>(
            () => pipeline.CommitAsync(_ => throw new SqliteException("full", SQLitePCL.raw.SQLITE_FULL), bytes: 1, CancellationToken.None));
        await pipeline.CommitAsync(statements => Insert(statements, "run_a", 1), bytes: 1, CancellationToken.None);

        Assert.Equal(CerverError.StorageUnavailable, refusal.Code);
        Assert.Equal(1L, database.Scalar("select count(*) from run_output"));
    }

    [Fact]
    public async Task A_database_that_fails_takes_no_more_writes_and_is_not_ready()
    {
        using var database = new TemporaryDatabase();
        using var readers = new SqliteReaders(database.Database, NullLogger<SqliteReaders>.Instance);
        var failure = new StorageFailure();
        await using var pipeline = new SqliteCommitPipeline(database.Database, failure, NullLogger<SqliteCommitPipeline>.Instance);
        var store = new SqliteSessionStore(
            readers, pipeline, new SqlitePurge(readers, pipeline, TimeProvider.System, NullLogger<SqlitePurge>.Instance), new SqliteSearchIndex(), TestStores.Searching, TimeProvider.System);
        await store.PingAsync(CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<CerverException>(
            () => pipeline.CommitAsync(_ => throw new SqliteException("damaged", SQLitePCL.raw.SQLITE_CORRUPT), bytes: 1, CancellationToken.None));
        var next = await Assert.ThrowsAsync<CerverException>(
            () => pipeline.CommitAsync(statements => Insert(statements, "run_a", 1), bytes: 1, CancellationToken.None));
        var notReady = await Assert.ThrowsAsync<CerverException>(() => store.PingAsync(CancellationToken.None));

        Assert.All([refusal, next, notReady], refused => Assert.Equal(CerverError.StorageUnavailable, refused.Code));
        Assert.Contains("takes no more writes", notReady.Message, StringComparison.Ordinal);
        Assert.Contains(database.Database.Path, await failure.Occurred, StringComparison.Ordinal);
        Assert.Equal(0L, database.Scalar("select count(*) from run_output"));
    }

    [Fact]
    public async Task A_full_queue_makes_writers_wait_and_loses_nothing()
    {
        using var database = new TemporaryDatabase();
        await using var pipeline = NewPipeline(database);
        using var release = new ManualResetEventSlim();
        var held = pipeline.CommitAsync(_ => release.Wait(), bytes: 1, CancellationToken.None);

        var writes = Enumerable.Range(1, 10_000)
            .Select(i => pipeline.CommitAsync(statements => Insert(statements, "run_a", i), bytes: 1, CancellationToken.None))
            .ToList();
        release.Set();
        await Task.WhenAll([held, .. writes]);

        Assert.Equal(10_000L, database.Scalar("select count(*) from run_output"));
    }

    [Fact]
    public async Task Stopping_writes_what_is_queued_and_then_refuses()
    {
        using var database = new TemporaryDatabase();
        var pipeline = NewPipeline(database);
        var writes = Enumerable.Range(1, 100)
            .Select(i => pipeline.CommitAsync(statements => Insert(statements, "run_a", i), bytes: 1, CancellationToken.None))
            .ToList();

        await pipeline.DisposeAsync();
        await Task.WhenAll(writes);

        Assert.Equal(100L, database.Scalar("select count(*) from run_output"));
        var refusal = await Assert.ThrowsAsync<CerverException>(() => pipeline.CommitAsync(_ => { }, bytes: 1, CancellationToken.None));
        Assert.Equal(CerverError.StorageUnavailable, refusal.Code);
    }

    [Fact]
    public void Migrating_twice_changes_nothing_and_a_newer_file_is_refused()
    {
        using var database = new TemporaryDatabase();
        database.Database.Migrate("");
        database.Scalar("pragma user_version = 99");

        var refusal = Assert.Throws<InvalidOperationException>(() => database.Database.Migrate(""));

        Assert.Contains("99", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_writer_flushes_the_disk_at_every_commit()
    {
        using var database = new TemporaryDatabase();
        using var connection = database.Database.OpenWriter();
        using var command = connection.CreateCommand();
        command.CommandText = "pragma synchronous";

        Assert.Equal(2L, command.ExecuteScalar());
        Assert.Equal("wal", database.Scalar("pragma journal_mode"));
    }

    private static SqliteCommitPipeline NewPipeline(TemporaryDatabase database) => new(database.Database, new StorageFailure(), NullLogger<SqliteCommitPipeline>.Instance);

    private static void Insert(SqliteStatements statements, string runId, long sequence) =>
        statements.Execute("Runs/Sqlite/insert_output.sql", runId, sequence, 1L, Array.Empty<byte>());
}
