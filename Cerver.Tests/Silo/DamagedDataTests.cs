using Cerver.Grains.Storage.Sqlite;
using Cerver.Silo.Standalone;
using Microsoft.Data.Sqlite;

namespace Cerver.Tests.Silo;

/// <summary>Data that was damaged while no gateway ran: found at the start, and by the command that checks.</summary>
public sealed class DamagedDataTests : IAsyncLifetime
{
    private const int PageBytes = 4096;

    private readonly string _data = Directory.CreateTempSubdirectory("cerver-damage-").FullName;

    public async Task InitializeAsync()
    {
        await using var gateway = await GatewayProcess.StartAsync(_data);
        var session = await gateway.CreateAsync();
        for (var i = 0; i < 20; i++)
        {
            using var appended = await gateway.AppendAsync(session, new string('x', 3000));
        }

        await gateway.StopAsync();
    }

    public Task DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_data, recursive: true);
        return Task.CompletedTask;
    }

    [Theory]
    [InlineData("cerver.db")]
    [InlineData("orleans.db")]
    public async Task A_damaged_file_stops_the_start_with_a_sentence_that_says_how_to_restore(string name)
    {
        var path = Path.Combine(_data, name);
        var sound = await File.ReadAllBytesAsync(path);
        var overwritten = (byte[])sound.Clone();
        overwritten.AsSpan(sound.Length / PageBytes / 2 * PageBytes, PageBytes).Fill(0x5a);
        var headless = (byte[])sound.Clone();
        headless.AsSpan(0, 100).Fill(0x5a);

        foreach (var damaged in (byte[][])[overwritten, sound[..(sound.Length / 2)], headless])
        {
            await File.WriteAllBytesAsync(path, damaged);
            var (exitCode, error) = await RunAsync("--urls=http://127.0.0.1:0");
            var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

            Assert.Equal(1, exitCode);
            Assert.Contains($"'{path}' is damaged", line, StringComparison.Ordinal);
            Assert.Contains($"Restore the data directory '{_data}' from a backup", line, StringComparison.Ordinal);
            Assert.Contains("check", line, StringComparison.Ordinal);
            Assert.Equal(1, (await RunAsync("check")).ExitCode);
        }

        await File.WriteAllBytesAsync(path, sound);
        Assert.Equal((0, ""), await RunAsync("check"));
        await using var again = await GatewayProcess.StartAsync(_data);
        await again.StopAsync();
        SoundData.Require(_data);
    }

    [Fact]
    public void Looking_for_damage_ends_when_its_time_is_over_and_names_what_was_not_looked_at()
    {
        var database = new SqliteDatabase(Path.Combine(_data, "cerver.db"));
        using (var connection = database.Open())
        using (var command = connection.CreateCommand())
        {
            command.CommandText = """
                insert into run_output (run_id, sequence, kind, data)
                select 'run', value, 1, randomblob(10) from (with recursive n (value) as (select 1 union all select value + 1 from n limit 200000) select value from n)
                """;
            command.ExecuteNonQuery();
        }

        var all = database.Glance(TimeSpan.FromMinutes(1), TimeProvider.System);
        var nothing = database.Glance(TimeSpan.Zero, TimeProvider.System);

        Assert.Equal((null, 0), (all.Damage, all.Unseen.Length));
        Assert.Null(nothing.Damage);
        Assert.Contains("run_output", nothing.Unseen);
    }

    [Fact]
    public async Task The_check_refuses_a_directory_that_a_gateway_uses_and_one_without_a_database()
    {
        await using var gateway = await GatewayProcess.StartAsync(_data);
        var used = await RunAsync("check");
        await gateway.StopAsync();
        await using var elsewhere = GatewayProcess.Launch(_data, urls: null, "check", "--CERVER_DATA", Path.Combine(_data, "nowhere"));
        var missing = await elsewhere.EndedAsync();

        Assert.Equal((1, true), (used.ExitCode, used.Error.Contains("used by another gateway", StringComparison.Ordinal)));
        Assert.Equal((1, true), (missing.ExitCode, missing.Error.Contains("no database", StringComparison.Ordinal)));
        Assert.False(Directory.Exists(Path.Combine(_data, "nowhere")));
    }

    [Fact]
    public void The_check_prints_a_line_per_violation_and_a_summary_per_file()
    {
        using (var connection = new SqliteDatabase(Path.Combine(_data, "cerver.db")).Open())
        using (var command = connection.CreateCommand())
        {
            command.CommandText = "delete from transcript_entry where position = 3";
            command.ExecuteNonQuery();
        }

        using var output = new StringWriter();
        var exitCode = DataCheck.Run(["--CERVER_DATA", _data], output);
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal((1, 4), (exitCode, lines.Length));
        Assert.Contains("transcript_total is 20, but there are 19 entries", lines[0], StringComparison.Ordinal);
        Assert.Contains("1 entries of it are in the search index and not in its transcript", lines[1], StringComparison.Ordinal);
        Assert.Contains("2 violations", lines[2], StringComparison.Ordinal);
        Assert.Contains("orleans.db: nothing is wrong", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void The_check_writes_to_no_database_and_makes_none()
    {
        File.Delete(Path.Combine(_data, "orleans.db"));
        File.Delete(Path.Combine(_data, "lock"));
        var before = File.ReadAllBytes(Path.Combine(_data, "cerver.db"));

        using var output = new StringWriter();
        var exitCode = DataCheck.Run(["--CERVER_DATA", _data], output);

        Assert.Equal((1, false), (exitCode, File.Exists(Path.Combine(_data, "orleans.db"))));
        Assert.Contains("orleans.db: It is missing", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(_data, "cerver.db")));
        Assert.All(Directory.GetFiles(_data, "*-wal"), log => Assert.Equal(0, new FileInfo(log).Length));
    }

    private async Task<(int ExitCode, string Error)> RunAsync(params string[] args)
    {
        await using var gateway = GatewayProcess.Launch(_data, urls: null, args);
        return await gateway.EndedAsync();
    }
}
