using System.Data;
using Npgsql;

namespace Cerver.Tests.Storage;

/// <summary>What the clustering of Orleans expects of the statements that it finds in the database.</summary>
public sealed class PostgresMembershipTests : IAsyncLifetime
{
    private const int Active = 3;
    private const int Dead = 6;
    private static readonly DateTime Start = new(2026, 5, 1, 12, 0, 0, 123, 456, DateTimeKind.Utc);

    private PostgresTestDatabase? _database;

    public async Task InitializeAsync()
    {
        _database = await PostgresTestDatabase.CreateAsync();
        await RunAsync("InsertMembershipVersionKey");
    }

    public async Task DisposeAsync() => await _database!.DisposeAsync();

    [Fact]
    public async Task The_version_is_made_once_also_by_many_at_the_same_time()
    {
        await RunAsync("DeleteMembershipTableEntriesKey");

        var made = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => RunAsync("InsertMembershipVersionKey")));

        Assert.Single(made, rows => (bool)rows.Single()["added"]!);
    }

    [Fact]
    public async Task A_cluster_without_members_is_a_row_with_its_version()
    {
        var row = Assert.Single(await RunAsync("MembershipReadAllKey"));

        Assert.Equal((0, null), (row["version"], row["starttime"]));
        Assert.Equal((0, null), (Assert.Single(await RunAsync("MembershipReadRowKey", port: 1))["version"], null as object));
    }

    [Fact]
    public async Task A_member_is_read_as_it_was_written_and_moves_the_version_on()
    {
        Assert.True(await InsertAsync(port: 1, version: 0));
        Assert.True(await InsertAsync(port: 2, version: 1));

        var row = Assert.Single(await RunAsync("MembershipReadRowKey", port: 2));
        Assert.Equal((2, 2, Active, Start, Start, null), (row["version"], row["port"], row["status"], row["starttime"], row["iamalivetime"], row["suspecttimes"]));
        Assert.Equal(2, (await RunAsync("MembershipReadAllKey")).Count);
    }

    [Fact]
    public async Task Who_does_not_know_the_last_version_changes_nothing()
    {
        await InsertAsync(port: 1, version: 0);

        Assert.False(await InsertAsync(port: 2, version: 0));
        Assert.False(await InsertAsync(port: 1, version: 1));
        Assert.False(await UpdateAsync(port: 1, version: 0));
        Assert.False(await UpdateAsync(port: 9, version: 1));

        var row = Assert.Single(await RunAsync("MembershipReadAllKey"));
        Assert.Equal((1, Active), (row["version"], row["status"]));
    }

    [Fact]
    public async Task Of_many_updates_with_the_same_version_exactly_one_succeeds()
    {
        await InsertAsync(port: 1, version: 0);
        for (var version = 1; version <= 5; version++)
        {
            var updates = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => UpdateAsync(port: 1, version)));

            Assert.Single(updates, updated => updated);
            Assert.Equal(version + 1, Assert.Single(await RunAsync("MembershipReadAllKey"))["version"]);
        }
    }

    [Fact]
    public async Task A_heartbeat_leaves_the_version_alone()
    {
        await InsertAsync(port: 1, version: 0);

        await RunAsync("UpdateIAmAlivetimeKey", port: 1, aliveAt: Start.AddSeconds(7));

        var row = Assert.Single(await RunAsync("MembershipReadAllKey"));
        Assert.Equal((1, Start.AddSeconds(7)), (row["version"], row["iamalivetime"]));
    }

    [Fact]
    public async Task Gateways_are_the_active_members_that_have_one()
    {
        await InsertAsync(port: 1, version: 0);
        await InsertAsync(port: 2, version: 1, proxyPort: 0);
        await InsertAsync(port: 3, version: 2, status: Dead);

        var row = Assert.Single(await RunAsync("GatewaysQueryKey"));

        Assert.Equal(("10.0.0.1", 30_000, 7), (row["address"], row["proxyport"], row["generation"]));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("10.0.0.2:1@7,2026-05-01 12:00:00.000 GMT")]
    public async Task A_dead_member_is_forgotten_if_it_is_still_as_it_was_read(string? suspectTimes)
    {
        await InsertAsync(port: 1, version: 0);
        await UpdateAsync(port: 1, version: 1, Dead, suspectTimes);

        await RunAsync("CleanupDefunctSiloEntryKey", port: 1, suspectTimes: "somebody else", aliveAt: Start);
        await RunAsync("CleanupDefunctSiloEntryKey", port: 1, suspectTimes: suspectTimes, aliveAt: Start.AddSeconds(1));
        Assert.NotNull(Assert.Single(await RunAsync("MembershipReadAllKey"))["starttime"]);

        await RunAsync("CleanupDefunctSiloEntryKey", port: 1, suspectTimes: suspectTimes is "" ? null : suspectTimes, aliveAt: Start);
        Assert.Null(Assert.Single(await RunAsync("MembershipReadAllKey"))["starttime"]);
    }

    [Fact]
    public async Task Only_dead_members_from_before_a_time_are_forgotten()
    {
        await InsertAsync(port: 1, version: 0);
        await InsertAsync(port: 2, version: 1, status: Dead);

        await RunAsync("CleanupDefunctSiloEntriesKey", aliveAt: Start);
        Assert.Equal(2, (await RunAsync("MembershipReadAllKey")).Count);

        await RunAsync("CleanupDefunctSiloEntriesKey", aliveAt: Start.AddSeconds(1));
        await RunAsync("CleanupDefunctSiloEntryKey", port: 1, aliveAt: Start);
        Assert.Equal(1, Assert.Single(await RunAsync("MembershipReadAllKey"))["port"]);
    }

    private async Task<bool> InsertAsync(int port, int version, int status = Active, int proxyPort = 30_000) =>
        (bool)(await RunAsync("InsertMembershipKey", port, version, status, proxyPort)).Single()["added"]!;

    private async Task<bool> UpdateAsync(int port, int version, int status = Active, string? suspectTimes = null) =>
        (bool)(await RunAsync("UpdateMembershipKey", port, version, status, suspectTimes: suspectTimes)).Single()["changed"]!;

    /// <summary>Runs a statement with all parameters that the provider may bind, by name.</summary>
    private async Task<List<Dictionary<string, object?>>> RunAsync(
        string key, int port = 0, int version = 0, int status = Active, int proxyPort = 30_000, string? suspectTimes = null, DateTime? aliveAt = null)
    {
        await using var command = _database!.Source.CreateCommand(
            (string)(await _database.ScalarAsync($"select querytext from orleansquery where querykey = '{key}'"))!);
        void Add(string name, DbType type, object? value) => command.Parameters.Add(new NpgsqlParameter(name, type) { Value = value ?? DBNull.Value });
        Add("DeploymentId", DbType.String, "cluster");
        Add("Address", DbType.AnsiString, "10.0.0.1");
        Add("Port", DbType.Int32, port);
        Add("Generation", DbType.Int32, 7);
        Add("SiloName", DbType.String, "silo");
        Add("HostName", DbType.String, "host");
        Add("Status", DbType.Int32, status);
        Add("ProxyPort", DbType.Int32, proxyPort);
        Add("SuspectTimes", DbType.String, suspectTimes);
        Add("StartTime", DbType.DateTime, Start);
        Add("IAmAliveTime", DbType.DateTime, aliveAt ?? Start);
        Add("Version", DbType.Int32, version);
        await using var rows = await command.ExecuteReaderAsync();
        var read = new List<Dictionary<string, object?>>();
        while (await rows.ReadAsync())
        {
            read.Add(Enumerable.Range(0, rows.FieldCount).ToDictionary(rows.GetName, column => rows.IsDBNull(column) ? null : rows.GetValue(column)));
        }

        return read;
    }
}
