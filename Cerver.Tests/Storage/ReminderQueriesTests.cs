using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;

namespace Cerver.Tests.Storage;

/// <summary>The statements for reminders, through the table of the ADO.NET provider of Orleans that runs them.</summary>
public abstract class ReminderQueriesTests(TestedDatabase tested) : IAsyncLifetime
{
    private OrleansDatabase? _database;
    private IHost? _host;

    private IReminderTable Table => _host!.Services.GetRequiredService<IReminderTable>();

    public async Task InitializeAsync()
    {
        _database = await OrleansDatabase.CreateAsync(tested);

        // Never started: only the table is wanted.
        var builder = Host.CreateApplicationBuilder();
        builder.UseOrleans(silo => silo.UseLocalhostClustering(serviceId: "cerver").UseAdoNetReminderService(options =>
        {
            options.Invariant = _database.Invariant;
            options.ConnectionString = _database.ConnectionString;
        }));
        _host = builder.Build();
        await Table.StartAsync();
    }

    public async Task DisposeAsync()
    {
        _host?.Dispose();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task A_reminder_is_found_as_it_was_written()
    {
        var written = Entry("a", period: TimeSpan.FromDays(40));

        var version = await Table.UpsertRow(written);

        var read = await Table.ReadRow(written.GrainId, "files");
        Assert.NotNull(read);
        Assert.Equal((written.GrainId, "files", written.StartAt, TimeSpan.FromDays(40), version), (read.GrainId, read.ReminderName, read.StartAt, read.Period, read.ETag));
        Assert.Equal(DateTimeKind.Utc, read.StartAt.Kind);
        Assert.Null(await Table.ReadRow(written.GrainId, "another"));
        Assert.Null(await Table.ReadRow(Grain("b"), "files"));
    }

    [Fact]
    public async Task Writing_again_moves_the_reminder_and_its_version()
    {
        var first = await Table.UpsertRow(Entry("a"));
        var moved = Entry("a", startsIn: TimeSpan.FromDays(7));

        var second = await Table.UpsertRow(moved);

        Assert.NotEqual(first, second);
        var read = await Table.ReadRow(moved.GrainId, "files");
        Assert.Equal((moved.StartAt, second), (read!.StartAt, read.ETag));
        Assert.Single((await Table.ReadRows(moved.GrainId)).Reminders);
    }

    [Fact]
    public async Task All_reminders_of_a_grain_are_found_and_no_other()
    {
        await Table.UpsertRow(Entry("a", "files"));
        await Table.UpsertRow(Entry("a", "upkeep"));
        await Table.UpsertRow(Entry("b", "files"));

        var reminders = (await Table.ReadRows(Grain("a"))).Reminders;

        Assert.Equal(["files", "upkeep"], reminders.Select(reminder => reminder.ReminderName).Order());
    }

    [Fact]
    public async Task A_deletion_takes_only_the_version_it_names()
    {
        var old = await Table.UpsertRow(Entry("a"));
        var current = await Table.UpsertRow(Entry("a"));

        Assert.False(await Table.RemoveRow(Grain("a"), "files", old!));
        Assert.NotNull(await Table.ReadRow(Grain("a"), "files"));
        Assert.True(await Table.RemoveRow(Grain("a"), "files", current!));
        Assert.False(await Table.RemoveRow(Grain("a"), "files", current!));
        Assert.Null(await Table.ReadRow(Grain("a"), "files"));
    }

    [Fact]
    public async Task An_old_handle_does_not_delete_what_was_registered_after_its_reminder_was_deleted()
    {
        var old = await Table.UpsertRow(Entry("a"));
        await Table.RemoveRow(Grain("a"), "files", old!);
        await Table.UpsertRow(Entry("a"));

        Assert.False(await Table.RemoveRow(Grain("a"), "files", old!));
        Assert.NotNull(await Table.ReadRow(Grain("a"), "files"));
    }

    [Fact]
    public async Task A_range_begins_after_its_first_hash_ends_with_its_last_and_may_wrap_around()
    {
        // Enough for hashes on both sides of where signed numbers change their sign.
        var grains = Enumerable.Range(0, 64).Select(i => Grain($"{i}")).OrderBy(grain => grain.GetUniformHashCode()).ToArray();
        foreach (var grain in grains)
        {
            await Table.UpsertRow(new ReminderEntry { GrainId = grain, ReminderName = "files", StartAt = DateTime.UnixEpoch, Period = TimeSpan.FromHours(1) });
        }

        foreach (var (from, to) in ((int, int)[])[(10, 20), (20, 10), (0, 63), (63, 0), (31, 33), (5, 5)])
        {
            var (begin, end) = (grains[from].GetUniformHashCode(), grains[to].GetUniformHashCode());
            var expected = grains.Where(grain => grain.GetUniformHashCode() is var hash && (begin < end ? hash > begin && hash <= end : hash > begin || hash <= end));

            var found = (await Table.ReadRows(begin, end)).Reminders.Select(reminder => reminder.GrainId);

            Assert.Equal(expected.Order(), found.Order());
        }

        Assert.Contains(grains, grain => grain.GetUniformHashCode() > int.MaxValue);
        Assert.Contains(grains, grain => grain.GetUniformHashCode() < int.MaxValue);
    }

    [Fact]
    public async Task Each_query_that_the_provider_needs_is_there()
    {
        foreach (var key in (string[])["ReadReminderRowsKey", "ReadReminderRowKey", "ReadRangeRows1Key", "ReadRangeRows2Key", "UpsertReminderRowKey", "DeleteReminderRowKey"])
        {
            Assert.Equal(1L, await _database!.ScalarAsync($"select count(*) from OrleansQuery where QueryKey = '{key}'"));
        }

        await Table.UpsertRow(Entry("a"));
        await Table.TestOnlyClearTable();
        Assert.Empty((await Table.ReadRows(0, 0)).Reminders);
    }

    private static GrainId Grain(string key) => GrainId.Create("compute", $"sandbox:account/{key}");

    private static ReminderEntry Entry(string key, string name = "files", TimeSpan? startsIn = null, TimeSpan? period = null) => new()
    {
        GrainId = Grain(key),
        ReminderName = name,
        StartAt = new DateTime(2026, 5, 1, 12, 0, 0, 123, DateTimeKind.Utc) + (startsIn ?? TimeSpan.Zero),
        Period = period ?? TimeSpan.FromHours(1),
    };
}

/// <inheritdoc/>
public sealed class SqliteReminderQueriesTests() : ReminderQueriesTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresReminderQueriesTests() : ReminderQueriesTests(TestedDatabase.Postgres);
