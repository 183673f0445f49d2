using Cerver.Errors;
using Cerver.Grains.Sessions;
using Cerver.Sessions;
using Cerver.Silo.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Cerver.Tests.Storage;

/// <summary>Connections that break after the server has committed, and before anybody hears of it.</summary>
#pragma warning disable CA1001 // It is disposed of by IAsyncLifetime.
public sealed class PostgresReplyLossTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private PostgresTestDatabase? _direct;
    private ReplyLoss? _way;
    private PostgresStores? _stores;

    private PostgresTestDatabase Direct => _direct!;

    private ReplyLoss Way => _way!;

    private PostgresStores Stores => _stores!;

    public async Task InitializeAsync()
    {
        _direct = await PostgresTestDatabase.CreateAsync();
        var server = new NpgsqlConnectionStringBuilder(_direct.ConnectionString);
        _way = new ReplyLoss(server.Host!, server.Port);
        _stores = new PostgresStores(_direct.Through(_way.Port), TimeProvider.System);
    }

    public async Task DisposeAsync()
    {
        await Stores.DisposeAsync();
        await Way.DisposeAsync();
        await Direct.DisposeAsync();
    }

    [Fact]
    public async Task A_change_whose_answer_is_lost_is_in_doubt_and_stored_and_a_repetition_is_fenced()
    {
        var record = await Stores.NewAsync("a");
        Way.LoseReplies();

        var refusal = await RefusalAsync(Stores.Sessions.CommitAsync(Append(record, "stored"), CancellationToken.None), "select exists (select from transcript_entry)");
        var repeated = await Record.ExceptionAsync(() => Stores.Sessions.CommitAsync(Append(record, "stored"), CancellationToken.None));

        Assert.Equal(CerverError.StorageInDoubt, refusal);
        Assert.Equal(CerverError.Fenced, Assert.IsType<CerverException>(repeated).Code);
        var page = await Stores.Sessions.ReadAsync(TestStores.Account, record.SessionId, new(), CancellationToken.None);
        Assert.Equal("stored", Assert.Single(page!.Entries).Content);
    }

    [Fact]
    public async Task An_erasure_whose_answer_is_lost_is_in_doubt_and_goes_on_later()
    {
        var sessionId = await Stores.FillAsync("a", rounds: 2);
        Way.LoseReplies();

        var refusal = await RefusalAsync(
            Stores.Sessions.PurgeAsync(TestStores.Account, sessionId, operation: null, CancellationToken.None), "select not exists (select from session)");
        await Stores.Sessions.ResumePurgesAsync(CancellationToken.None);

        Assert.Equal(CerverError.StorageInDoubt, refusal);
        Assert.Equal(0L, await Direct.ScalarAsync(TestStores.CountRows));
    }

    [Fact]
    public async Task What_Orleans_wrote_is_not_written_again_when_its_answer_is_lost()
    {
        var guard = new PostgresGuard(Stores.Database.Source, NullLogger<PostgresGuard>.Instance);
        await Stores.ScalarAsync("select 1");
        Way.LoseReplies();
        var calls = 0;

        var refusal = await RefusalAsync(
            guard.RunAsync(() =>
            {
                calls++;
                return Stores.ScalarAsync("insert into grain_state (service_id, n0, n1, type_name, extension, version) values ('', 0, 0, '', '', 1)");
            }),
            "select exists (select from grain_state)");

        Assert.Equal((CerverError.StorageUnavailable, 1), (refusal, calls));
    }

    /// <summary>Breaks the connection when the server has done what was sent.</summary>
    private async Task<CerverError> RefusalAsync(Task write, string isDone)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await Direct.ScalarAsync(isDone) is false)
        {
            limit.Token.ThrowIfCancellationRequested();
        }

        Way.Break();
        return (await Assert.ThrowsAsync<CerverException>(() => write)).Code;
    }

    private static SessionChange Append(SessionRecord record, string text) =>
        SessionChange.From(record, record.UpdatedAt, rewrites: false, [GrainCluster.Text(text) with { At = record.UpdatedAt }]);
}
