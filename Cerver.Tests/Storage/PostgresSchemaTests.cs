using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Npgsql;

namespace Cerver.Tests.Storage;

public sealed class PostgresSchemaTests
{
    [Fact]
    public async Task Eight_processes_that_start_at_once_on_an_empty_database_all_come_up()
    {
        var server = await TestPostgres.Shared;
        var connectionString = await server.CreateEmptyDatabaseAsync();
        var sources = Enumerable.Range(0, 8).Select(_ => PostgresDatabase.Create(connectionString)).ToList();

        await Task.WhenAll(sources.Select(source => PostgresSchema.MigrateAsync(source, CancellationToken.None)));
        await Task.WhenAll(sources.Select(source => PostgresSchema.RequireCurrentAsync(source, CancellationToken.None)));

        Assert.Equal("0001_sessions_and_runs,0002_orleans,0003_search,0004_secrets", await ScalarAsync(sources[0], "select string_agg(name, ',' order by number) from schema_step"));
        await DisposeAsync(server, connectionString, sources);
    }

    [Fact]
    public async Task A_database_without_a_schema_is_refused_with_what_to_do()
    {
        var server = await TestPostgres.Shared;
        var connectionString = await server.CreateEmptyDatabaseAsync();
        var source = PostgresDatabase.Create(connectionString);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresSchema.RequireCurrentAsync(source, CancellationToken.None));

        Assert.Contains("has schema 0 and this version needs 4. Run 'dotnet Cerver.Silo.dll migrate'", refusal.Message, StringComparison.Ordinal);
        await DisposeAsync(server, connectionString, [source]);
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        await database.ScalarAsync("insert into schema_step (number, name, hash) values (5, 'of tomorrow', '')");

        var migrate = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresSchema.MigrateAsync(database.Source, CancellationToken.None));
        var start = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresSchema.RequireCurrentAsync(database.Source, CancellationToken.None));

        Assert.All([migrate, start], refusal => Assert.Contains("has schema 5 and this version knows 4. Start the newer version", refusal.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("update schema_step set hash = repeat('0', 64) where number = 2", "0002_orleans")]
    [InlineData("update schema_step set name = '0001_sessions' where number = 1", "0001_sessions_and_runs")]
    [InlineData("alter table schema_step drop column hash", "0001_sessions_and_runs")]
    public async Task A_schema_of_a_development_version_is_refused_with_the_step_that_is_another(string mutation, string step)
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        await database.ScalarAsync(mutation);

        var migrate = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresSchema.MigrateAsync(database.Source, CancellationToken.None));
        var start = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresSchema.RequireCurrentAsync(database.Source, CancellationToken.None));

        Assert.All(
            [migrate, start],
            refusal => Assert.Contains($"by a development version: its schema step '{step}' is not the one of this version", refusal.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("synchronous_commit")]
    public async Task A_database_that_acknowledges_before_it_writes_is_refused(string setting)
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        await database.ScalarAsync($"alter database {TestPostgres.NameOf(database.ConnectionString)} set {setting} = off");
        database.Source.Clear();

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresSchema.RequireCurrentAsync(database.Source, CancellationToken.None));

        Assert.Contains($"has {setting} = off", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Numbers_of_changes_go_on_beyond_those_that_came_with_a_backup_from_another_server()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        const long Last = (1L << 52) + 7;
        await database.ScalarAsync($"""
            insert into session (session_id, account_id, session_name, search_name, status, provider, run_count, run_time_ms, created_at, updated_at,
                                 transcript_total, event_total, change, version)
            select id, account, '', '', 0, 'none', 0, 0, 1, 1, 0, 0, change, 1
            from (values ('s1', 'a', 5), ('s2', 'b', {Last}), ('s3', 'b', 9), ('s4', 'c', 6)) as row (id, account, change)
            """);

        await PostgresSchema.ContinueChangesAsync(database.Source, CancellationToken.None);
        var next = (long)(await database.ScalarAsync("select number from next_change"))!;
        await PostgresSchema.ContinueChangesAsync(database.Source, CancellationToken.None);
        var later = (long)(await database.ScalarAsync("select number from next_change"))!;

        Assert.InRange(next, Last + 1, Last + (1 << 22));
        Assert.InRange(later, next + 1, next + (1 << 22));
    }

    [Fact]
    public async Task On_another_server_numbers_of_changes_go_on_with_the_clock_and_on_the_same_one_where_they_were()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        await PostgresSchema.ContinueChangesAsync(database.Source, CancellationToken.None);
        var before = await database.ScalarAsync("select base from change_base");
        await database.ScalarAsync("update change_base set server = 'another'");
        var clock = UnixMicroseconds.From(TimeProvider.System.GetUtcNow());

        await PostgresSchema.ContinueChangesAsync(database.Source, CancellationToken.None);
        var raised = await database.ScalarAsync("select base from change_base");
        var next = (long)(await database.ScalarAsync("select number from next_change"))!;
        await PostgresSchema.ContinueChangesAsync(database.Source, CancellationToken.None);

        Assert.Equal(0L, before);
        Assert.InRange(next, clock - 60_000_000, clock + 600_000_000);
        Assert.Equal(raised, await database.ScalarAsync("select base from change_base"));
    }

    [Fact]
    public async Task Numbers_of_changes_are_not_raised_in_the_middle_of_a_batch()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        await database.ScalarAsync("update change_base set server = 'another'");
        await using var writer = await database.Source.OpenConnectionAsync();
        await using var batch = await writer.BeginTransactionAsync();
        await using var first = new NpgsqlCommand("select from session for no key update", writer, batch);
        await first.ExecuteNonQueryAsync();

        var raising = PostgresSchema.ContinueChangesAsync(database.Source, CancellationToken.None);
        while (!raising.IsCompleted && await database.ScalarAsync("select exists (select from pg_locks where relation = 'session'::regclass and not granted)") is false)
        {
        }

        var during = await database.ScalarAsync("select base from change_base");
        await batch.CommitAsync();
        await raising;

        Assert.Equal(0L, during);
        Assert.NotEqual(0L, await database.ScalarAsync("select base from change_base"));
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource source, string text)
    {
        await using var command = source.CreateCommand(text);
        return await command.ExecuteScalarAsync();
    }

    private static async Task DisposeAsync(TestPostgres server, string connectionString, IEnumerable<NpgsqlDataSource> sources)
    {
        foreach (var source in sources)
        {
            await source.DisposeAsync();
        }

        await server.DropDatabaseAsync(connectionString);
    }
}
