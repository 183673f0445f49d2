using Cerver.Silo.Clustered;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Cerver.Tests.Clustered;

public sealed class ClusterCheckTests
{
    [Fact]
    public async Task It_only_reads_so_the_right_to_read_is_enough_and_nobody_who_works_on_the_schema_holds_it_up()
    {
        await using var stores = new PostgresStores(await PostgresTestDatabase.CreateAsync(), TimeProvider.System);
        await stores.FillAsync("a", rounds: 2);

        // A silo that starts would raise the numbers of changes now.
        await stores.ScalarAsync("update session set change = change + (1::bigint << 50)");
        await using var reader = await ReaderOf(stores);
        await using var busy = await stores.Database.Source.OpenConnectionAsync();
        await using (var hold = new NpgsqlCommand($"select pg_advisory_lock({0x43_45_52_56_45_52})", busy))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var sound = await CheckAsync(reader);
        await stores.ScalarAsync("update session set transcript_total = 7");
        var broken = await CheckAsync(reader);

        Assert.Equal((0, "Nothing is wrong."), sound);
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("transcript_total is 7, but there are 2 entries", broken.Output, StringComparison.Ordinal);
        Assert.Equal(0L, await stores.ScalarAsync("select base from change_base"));
    }

    private static async Task<(int ExitCode, string Output)> CheckAsync(Reader reader)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Cerver", reader.ConnectionString)]).Build();
        await using var output = new StringWriter();
        var exitCode = await ClusterCheck.RunAsync(configuration, output);
        return (exitCode, output.ToString().TrimEnd());
    }

    private static async Task<Reader> ReaderOf(PostgresStores stores)
    {
        var name = $"reader_{Guid.NewGuid():n}";
        await stores.ScalarAsync($"create role {name} login password 'reads'; grant select on all tables in schema public to {name}");
        return new(stores, name, new NpgsqlConnectionStringBuilder(stores.Database.ConnectionString) { Username = name, Password = "reads" }.ToString());
    }

    /// <summary>A user who may read and do nothing else.</summary>
    private sealed record Reader(PostgresStores Stores, string Name, string ConnectionString) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Stores.ScalarAsync($"drop owned by {Name}; drop role {Name}");
    }
}
