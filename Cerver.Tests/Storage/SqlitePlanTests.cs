using Cerver.Grains.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Storage;

/// <summary>Which index each list of SQLite reads, so that none costs more with what it leaves out.</summary>
public sealed class SqlitePlanTests
{
    [Theory]
    [InlineData("Sessions/Sqlite/list.sql", "SEARCH session USING INDEX session_by_activity (account_id=? AND updated_at>? AND (updated_at,session_id)<(?,?))")]
    [InlineData("Sessions/Sqlite/list_by_status.sql", "SEARCH session USING INDEX session_by_status (account_id=? AND status=? AND updated_at>? AND (updated_at,session_id)<(?,?))")]
    public async Task A_list_reads_one_index(string file, string plan)
    {
        await using var stores = new SqliteStores(new FakeTimeProvider());

        using var connection = stores.Database.Database.Open();
        connection.CreateFunction("lower_invariant", static (string text) => text.ToLowerInvariant(), isDeterministic: true);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is an embedded statement.
        command.CommandText = $"explain query plan {SqlText.Load(file)}";
#pragma warning restore CA2100
        command.Parameters.AddRange(Enumerable.Range(1, 10).Select(static i => new SqliteParameter($"${i}", i)));
        var steps = new List<string>();
        using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            steps.Add(rows.GetString(3));
        }

        Assert.Equal(plan, string.Join(Environment.NewLine, steps));
    }
}
