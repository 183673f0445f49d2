using System.Text;
using Cerver.Tests.Storage;

namespace Cerver.Tests.Sessions;

/// <summary>What is left in SQLite's files of a session that is erased.</summary>
public sealed class SqlitePurgeTests : IAsyncDisposable
{
    private readonly SqliteStores _stores = new(TimeProvider.System);

    [Fact]
    public async Task What_was_erased_is_in_no_file_any_more()
    {
        // Rows of both lie in the same pages, and some go over several.
        var kept = await _stores.NewAsync("plain");
        var erased = await _stores.NewAsync("forgotten");
        for (var round = 0; round < 120; round++)
        {
            kept = await _stores.AddAsync(kept, "plain", round);
            erased = await _stores.AddAsync(erased, "forgotten", round);
        }

        var before = Occurrences("forgotten");
        await _stores.Sessions.PurgeAsync(TestStores.Account, erased.SessionId, operation: null, CancellationToken.None);
        await AfterCheckpointAsync();

        Assert.NotEqual(0, before);
        Assert.Equal(0, Occurrences("forgotten"));
        Assert.NotEqual(0, Occurrences("plain"));
    }

    [Fact]
    public async Task A_reader_that_needs_the_log_makes_nobody_wait_and_puts_off_that_it_is_emptied()
    {
        var session = await _stores.FillAsync("forgotten", rounds: 3);
        using (var connection = _stores.Database.Database.Open())
        using (var snapshot = connection.BeginTransaction(deferred: true))
        using (var command = connection.CreateCommand())
        {
            command.Transaction = snapshot;
            command.CommandText = TestStores.CountRows;
            await command.ExecuteScalarAsync();
            await _stores.Sessions.PurgeAsync(TestStores.Account, session, operation: null, CancellationToken.None);
            await AfterCheckpointAsync();

            Assert.NotEqual(0, Occurrences("forgotten"));
        }

        await AfterCheckpointAsync();

        Assert.Equal(0, Occurrences("forgotten"));
    }

    public ValueTask DisposeAsync() => _stores.DisposeAsync();

    /// <summary>Completes when what follows on the last commit is done too: the writer does one thing after the other.</summary>
    private async Task AfterCheckpointAsync()
    {
        await _stores.Pipeline.CommitAsync(static _ => { }, bytes: 0, CancellationToken.None);
        await _stores.Pipeline.CommitAsync(static _ => { }, bytes: 0, CancellationToken.None);
    }

    /// <summary>How often a word stands in the database file, its log and whatever else is beside it.</summary>
    private int Occurrences(string word) => Directory.GetFiles(Path.GetDirectoryName(_stores.Database.Database.Path)!).Sum(path =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var text = new StreamReader(file, Encoding.Latin1);
        return text.ReadToEnd().AsSpan().Count(word);
    });
}
