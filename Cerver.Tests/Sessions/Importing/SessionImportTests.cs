using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Sessions;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Sessions.Importing;

/// <summary>Sessions that are made of transcripts from elsewhere.</summary>
public abstract class SessionImportTests(GrainCluster cluster)
{
    private static readonly DateTimeOffset Noon = new(2025, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task An_import_of_one_part_is_a_session_as_old_as_its_entries()
    {
        var (session, accountId, sessionId) = cluster.NewSession();

        var progress = await session.ImportAsync(Part(0, 3, isLast: true));

        Assert.Equal((true, true), (progress.IsWhole, progress.IsNew));
        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        Assert.Equal(progress.Session, page.Session);
        Assert.Equal(
            ("A title", SessionStatus.Idle, null, "none", Noon, Noon.AddHours(1), 3L),
            (page.Session.SessionName, page.Session.Status, page.Session.EndReason, page.Session.Provider, page.Session.CreatedAt, page.Session.UpdatedAt, page.Session.TranscriptTotal));
        Assert.Equal([Noon, Noon.AddSeconds(1), Noon.AddSeconds(2)], page.Entries.Select(entry => entry.At!.Value));
    }

    [Fact]
    public async Task Every_part_is_added_once_by_however_many_callers()
    {
        var (session, accountId, sessionId) = cluster.NewSession();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ImportAsync(session, entries: 50, size: 7)));

        Assert.Single(outcomes, progress => progress.IsNew);
        Assert.All(outcomes, progress => Assert.Equal((true, 50L), (progress.IsWhole, progress.Session.TranscriptTotal)));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"entry {i}"), (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries.Select(entry => entry.Content));
        Assert.Single((await cluster.Recall.ListSessionsAsync(accountId, new(10))).Sessions);
    }

    [Fact]
    public async Task What_was_cut_short_says_so_takes_nothing_else_and_goes_on_where_it_stopped()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.ImportAsync(Part(0, 4, isLast: false));

        var during = (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new(Tail: 0))).Session;
        var append = await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync([Text("between")]));
        var input = await Assert.ThrowsAsync<CerverException>(() => session.InputAsync(Text("between")));
        var compute = await Assert.ThrowsAsync<CerverException>(() => session.ChangeComputeAsync(ComputeChoice.Any));
        var again = await session.ImportAsync(Part(0, 4, isLast: false));
        var beyond = await session.ImportAsync(Part(9, 1, isLast: true));
        var whole = await ImportAsync(session, entries: 10, size: 3);

        Assert.Equal((SessionStatus.Idle, EndReasons.ImportIncomplete), (during.Status, during.EndReason));
        Assert.Equal([CerverError.Conflict, CerverError.Conflict, CerverError.Conflict], [append.Code, input.Code, compute.Code]);
        Assert.Equal([(false, 4L), (false, 4L)], new[] { again, beyond }.Select(progress => (progress.IsWhole, progress.Session.TranscriptTotal)));
        Assert.Equal((true, true, null), (whole.IsWhole, whole.IsNew, whole.Session.EndReason));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"entry {i}"), (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries.Select(entry => entry.Content));
        Assert.Equal(11, await session.AppendAsync([Text("after")]));
    }

    [Fact]
    public async Task Another_activation_that_wrote_meanwhile_is_not_written_over()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.ImportAsync(Part(0, 2, isLast: false));
        var store = cluster.Services.GetRequiredService<ISessionStore>();
        var record = (await store.FindAsync(accountId, sessionId, CancellationToken.None))!;
        await store.CommitAsync(SessionChange.From(record, Noon, rewrites: false, Entries(2, 2)), CancellationToken.None);

        var fenced = await Assert.ThrowsAsync<CerverException>(() => session.ImportAsync(Part(2, 3, isLast: true)));
        var whole = await ImportAsync(session, entries: 5, size: 3);

        Assert.Equal(CerverError.Fenced, fenced.Code);
        Assert.Equal((true, 5L), (whole.IsNew, whole.Session.TranscriptTotal));
    }

    [Fact]
    public async Task A_session_that_had_ended_is_ended_with_its_reason_when_it_is_whole()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var first = Part(0, 2, isLast: false) with { IsEnded = true, EndReason = "all done" };

        var during = await session.ImportAsync(first);
        var whole = await session.ImportAsync(first with { First = 2, Entries = [], IsLast = true });

        Assert.Equal(SessionStatus.Idle, during.Session.Status);
        Assert.Equal((SessionStatus.Ended, "all done", 2L), (whole.Session.Status, whole.Session.EndReason, whole.Session.TranscriptTotal));
        var events = (await cluster.Recall.ReadEventsAsync(accountId, sessionId, 0)).Events;
        Assert.Equal([typeof(EntryAdded), typeof(EntryAdded), typeof(StatusChanged), typeof(StatusChanged)], events.Select(happened => happened.GetType()).OrderBy(type => type.Name));
        Assert.Equal(new StatusChanged(3, SessionStatus.Ended, "all done"), events[^1]);
    }

    [Fact]
    public async Task One_that_is_ended_before_it_is_whole_can_still_become_whole_and_stays_ended()
    {
        var (session, _, _) = cluster.NewSession();
        await session.ImportAsync(Part(0, 2, isLast: false));
        await session.EndAsync(purge: false);

        var whole = await ImportAsync(session, entries: 4, size: 2);

        Assert.Equal((true, SessionStatus.Ended, null, 4L), (whole.IsNew, whole.Session.Status, whole.Session.EndReason, whole.Session.TranscriptTotal));
    }

    [Fact]
    public async Task What_was_purged_is_imported_again_and_an_erasure_that_is_not_done_is_waited_for()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await ImportAsync(session, entries: 5, size: 2);
        await session.EndAsync(purge: true);

        var late = await Assert.ThrowsAsync<CerverException>(() => session.ImportAsync(Part(2, 2, isLast: false)));
        var again = await ImportAsync(session, entries: 5, size: 2);
        await session.EndAsync(purge: true);
        await cluster.ExecuteAsync($"insert into purge (session_id) values ('{sessionId}')");
        var refusal = await Assert.ThrowsAsync<CerverException>(() => ImportAsync(session, entries: 5, size: 2));
        await cluster.Services.GetRequiredService<ISessionStore>().ResumePurgesAsync(CancellationToken.None);
        var last = await ImportAsync(session, entries: 5, size: 2);

        Assert.Equal((CerverError.Conflict, CerverError.StorageUnavailable), (late.Code, refusal.Code));
        Assert.Equal((true, true), (again.IsNew, last.IsNew));
        Assert.Equal(5, (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries.Length);
    }

    [Fact]
    public async Task What_is_beyond_a_limit_is_cut_and_says_so()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        const int Limit = 1_048_576;
        var long1 = new string('ü', 700_000);
        var input = JsonSerializer.Serialize(new { command = new string('"', 600_000) });
        ImmutableArray<TranscriptEntry> entries =
        [
            new(Noon, EntryRole.Tool, new string('k', 100), long1, new string('i', 300), new string('n', 300)),
            new(Noon, EntryRole.Assistant, EntryKinds.ToolUse, "", "id", "name", input),
            new(Noon, EntryRole.Tool, EntryKinds.ToolResult, ""),
        ];

        await session.ImportAsync(Part(0, 0, isLast: true) with { Entries = entries, Title = new string('t', 500) });

        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        var second = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new(Since: 1));
        var (cut, call) = (page.Entries[0], second.Entries[0]);
        Assert.InRange(Encoding.UTF8.GetByteCount(cut.Content!), Limit - 4, Limit);
        Assert.EndsWith("\n[Cut when it was imported: this had 1400000 bytes, and an entry holds at most 1048576.]", cut.Content, StringComparison.Ordinal);
        Assert.Equal((64, 200, 200, 200), (cut.Kind.Length, cut.ToolId!.Length, cut.ToolName!.Length, page.Session.SessionName.Length));
        Assert.InRange(Encoding.UTF8.GetByteCount(call.ToolInput!), Limit / 3, Limit);
        Assert.StartsWith("{\"command\":", JsonDocument.Parse(call.ToolInput!).RootElement.GetProperty("cut").GetString(), StringComparison.Ordinal);
        Assert.Equal(3, page.Session.TranscriptTotal);
    }

    [Fact]
    public async Task A_time_to_come_counts_as_now()
    {
        var (session, _, _) = cluster.NewSession();

        var record = (await session.ImportAsync(Part(0, 1, isLast: true) with { CreatedAt = Noon.AddYears(500), UpdatedAt = Noon.AddYears(500) })).Session;

        Assert.InRange(record.UpdatedAt, TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow());
        Assert.True(record.CreatedAt <= record.UpdatedAt);
    }

    [Fact]
    public void The_id_of_an_import_never_changes()
    {
        var id = Ids.OfImport("account", SHA256.HashData("content"u8));

        Assert.Equal("e864c206-3da3-83ae-ba31-2dfc3be5ec48", id);
        Assert.True(Ids.IsSession(id));
        Assert.NotEqual(id, Ids.OfImport("other", SHA256.HashData("content"u8)));
    }

    private static async Task<ImportProgress> ImportAsync(ISessionGrain session, int entries, int size)
    {
        var first = 0;
        while (true)
        {
            var count = Math.Min(size, entries - first);
            var progress = await session.ImportAsync(Part(first, count, first + count == entries));
            if (progress.IsWhole)
            {
                return progress;
            }

            first = (int)progress.Session.TranscriptTotal;
        }
    }

    private static ImportPart Part(int first, int count, bool isLast) => new(
        Request(ComputeChoice.None, metadata: """{"source":"import"}""", name: null), "A title\nof two lines", Noon, Noon.AddHours(1), IsEnded: false, EndReason: null, first,
        Entries(first, count), isLast);

    private static ImmutableArray<TranscriptEntry> Entries(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => Text($"entry {i}") with { At = Noon.AddSeconds(i) })];
}

/// <inheritdoc/>
[Collection(nameof(GrainCluster))]
public sealed class SqliteSessionImportTests(GrainCluster cluster) : SessionImportTests(cluster);

/// <inheritdoc/>
[Collection(nameof(PostgresGrainCluster))]
public sealed class PostgresSessionImportTests(PostgresGrainCluster cluster) : SessionImportTests(cluster);
