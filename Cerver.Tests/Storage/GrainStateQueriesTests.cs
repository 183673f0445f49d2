using System.Data;
using System.Data.Common;
using System.Globalization;

namespace Cerver.Tests.Storage;

/// <summary>What the ADO.NET provider of Orleans expects of the statements that it finds in the database.</summary>
public abstract class GrainStateQueriesTests(TestedDatabase tested) : IAsyncLifetime
{
    private OrleansDatabase? _database;

    private OrleansDatabase Database => _database!;

    public async Task InitializeAsync() => _database = await OrleansDatabase.CreateAsync(tested);

    public async Task DisposeAsync() => await Database.DisposeAsync();

    [Fact]
    public async Task A_write_without_a_version_inserts_once()
    {
        Assert.Equal(1L, await RunAsync("WriteToStorageKey", version: null));
        Assert.Null(await RunAsync("WriteToStorageKey", version: null));
    }

    [Fact]
    public async Task A_write_with_a_version_updates_only_at_that_version()
    {
        await RunAsync("WriteToStorageKey", version: null);

        Assert.Equal(2L, await RunAsync("WriteToStorageKey", version: 1));
        Assert.Null(await RunAsync("WriteToStorageKey", version: 1));
        Assert.Equal(3L, await RunAsync("WriteToStorageKey", version: 2));
    }

    [Fact]
    public async Task A_write_after_a_deletion_does_not_bring_the_row_back()
    {
        await RunAsync("WriteToStorageKey", version: null);

        Assert.Equal(2L, await RunAsync("DeleteStorageKey", version: 1));
        Assert.Null(await RunAsync("WriteToStorageKey", version: 1));
        Assert.Equal(1L, await RunAsync("WriteToStorageKey", version: null));
    }

    [Fact]
    public async Task Clearing_keeps_the_row_without_its_payload_and_moves_the_version_on()
    {
        await RunAsync("WriteToStorageKey", version: null);

        Assert.Equal(2L, await RunAsync("ClearStorageKey", version: 1));
        Assert.Null(await RunAsync("ClearStorageKey", version: 1));
        Assert.Equal(3L, await RunAsync("ClearStorageKey", version: 2));
        Assert.Equal(DBNull.Value, await RunAsync("ReadFromStorageKey", version: null));
        Assert.Equal(4L, await RunAsync("WriteToStorageKey", version: 3));
    }

    [Fact]
    public async Task Reading_what_was_never_written_gives_no_row()
    {
        Assert.Null(await RunAsync("ReadFromStorageKey", version: null));
    }

    [Fact]
    public async Task Of_many_first_writes_at_the_same_time_one_succeeds()
    {
        var versions = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => RunAsync("WriteToStorageKey", version: null))));

        Assert.Equal(1L, Assert.Single(versions, version => version is not null));
    }

    private async Task<object?> RunAsync(string key, int? version)
    {
        await using var connection = await Database.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The statement under test.
        command.CommandText = await Database.QueryAsync(key);
#pragma warning restore CA2100
        Add(command, "ServiceId", DbType.String, "cerver");
        Add(command, "GrainIdHash", DbType.Int32, 7);
        Add(command, "GrainIdN0", DbType.Int64, 0L);
        Add(command, "GrainIdN1", DbType.Int64, 0L);
        Add(command, "GrainTypeHash", DbType.Int32, 7);
        Add(command, "GrainTypeString", DbType.String, "compute");
        Add(command, "GrainIdExtensionString", DbType.String, "sandbox:a/sbx_1");
        Add(command, "GrainStateVersion", DbType.Int32, version);
        Add(command, "PayloadBinary", DbType.Binary, "{}"u8.ToArray());

        // The provider takes the one row there may be, of whichever result set.
        await using var rows = await command.ExecuteReaderAsync();
        object? found = null;
        do
        {
            while (await rows.ReadAsync())
            {
                Assert.Null(found);
                found = rows.GetValue(0) is var value and not DBNull ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : DBNull.Value;
            }
        }
        while (await rows.NextResultAsync());
        return found;
    }

    private static void Add(DbCommand command, string name, DbType type, object? value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.DbType, parameter.Value) = (name, type, value ?? DBNull.Value);
        command.Parameters.Add(parameter);
    }
}

/// <inheritdoc/>
public sealed class SqliteGrainStateQueriesTests() : GrainStateQueriesTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresGrainStateQueriesTests() : GrainStateQueriesTests(TestedDatabase.Postgres);
