using Cerver.Computes;
using Cerver.Grains.Sessions;
using Cerver.Grains.Storage;
using Cerver.Sessions;

namespace Cerver.Tests.Storage;

/// <summary>Texts that databases have trouble with.</summary>
public abstract class StoredTextTests(TestedDatabase database) : IAsyncLifetime
{
    private TestStores? _stores;

    private TestStores Stores => _stores!;

    public async Task InitializeAsync() => _stores = await TestStores.CreateAsync(database);

    public async Task DisposeAsync() => await Stores.DisposeAsync();

    [Theory]
    [InlineData("a\0b")]
    [InlineData("\0")]
    [InlineData("\u0010\u00100")]
    [InlineData("😀 \u001b[0m \u0001")]
    [InlineData("'; drop table session; --")]
    public async Task They_come_back_as_they_were(string text)
    {
        var now = UnixMicroseconds.Round(TimeProvider.System.GetUtcNow());
        var record = SessionRules.NewRecord(GrainCluster.Request(ComputeChoice.None, name: text), TestStores.Account, Ids.NewSession(TimeProvider.System), now);
        var entry = GrainCluster.Text(text) with { At = now, Kind = text, ToolId = text, ToolName = text, ToolInput = text, IsError = true };
        await Stores.Sessions.CommitAsync(SessionChange.From(record, now, rewrites: true, [entry]), CancellationToken.None);

        var page = await Stores.Sessions.ReadAsync(TestStores.Account, record.SessionId, new(), CancellationToken.None);
        var listed = await Stores.Sessions.ListAsync(TestStores.Account, new SessionFilter(10), CancellationToken.None);

        Assert.Equal(text, page!.Session.SessionName);
        Assert.Equal(entry, Assert.Single(page.Entries));
        Assert.Equal(record.SessionId, Assert.Single(listed.Sessions).SessionId);
    }

    [Fact]
    public async Task Half_of_a_surrogate_pair_becomes_the_replacement_character()
    {
        var record = await Stores.NewAsync("a");
        var now = record.UpdatedAt;
        await Stores.Sessions.CommitAsync(
            SessionChange.From(record, now, rewrites: false, [GrainCluster.Text("x\uD83Dy") with { At = now }]), CancellationToken.None);

        var page = await Stores.Sessions.ReadAsync(TestStores.Account, record.SessionId, new(), CancellationToken.None);

        Assert.Equal("x\uFFFDy", Assert.Single(page!.Entries).Content);
    }

    [Fact]
    public async Task A_name_is_found_whatever_the_case_of_its_letters()
    {
        var record = await Stores.NewAsync("ÄPFEL und Ölkännchen");

        var found = await Stores.Sessions.ListAsync(TestStores.Account, new SessionFilter(10, Name: "äpfel UND öl"), CancellationToken.None);
        var other = await Stores.Sessions.ListAsync(TestStores.Account, new SessionFilter(10, Name: "apfel"), CancellationToken.None);

        Assert.Equal(record.SessionId, Assert.Single(found.Sessions).SessionId);
        Assert.Empty(other.Sessions);
    }

    [Fact]
    public async Task An_id_that_is_no_id_finds_nothing()
    {
        Assert.Null(await Stores.Sessions.FindAsync(TestStores.Account, "a\0b", CancellationToken.None));
        Assert.Null(await Stores.Runs.FindAsync(TestStores.Account, "a\0b", "\uD83D", CancellationToken.None));
    }
}

/// <inheritdoc/>
public sealed class SqliteStoredTextTests() : StoredTextTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresStoredTextTests() : StoredTextTests(TestedDatabase.Postgres);
