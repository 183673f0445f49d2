using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Sessions;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Computes;

/// <summary>Who gets to the files of a sandbox and who is told why not.</summary>
[Collection(nameof(GrainCluster))]
public sealed class SandboxFileGrainTests(GrainCluster cluster)
{
    private static readonly ListFiles Everything = new(SandboxPath.Root, After: [], Limit: 10);

    [Fact]
    public async Task A_provider_that_has_no_way_to_files_is_told_of_and_so_is_what_stands_in_the_way()
    {
        var (session, accountId, _) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;

        var none = await RefusalAsync(() => Sandbox(accountId, created.SandboxId!).ListFilesAsync(Everything));
        cluster.Provider.Files = new ObstructedFiles();
        var obstructed = await RefusalAsync(() => Sandbox(accountId, created.SandboxId!).ListFilesAsync(Everything));
        cluster.Provider.Files = null;

        Assert.Equal((CerverError.NoCompute, CerverError.NoCompute), (none.Code, obstructed.Code));
        Assert.Equal(ObstructedFiles.Reason, obstructed.Message);
    }

    [Fact]
    public async Task A_sandbox_that_is_another_accounts_or_gone_has_no_files()
    {
        var (session, accountId, _) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;

        var other = await RefusalAsync(() => Sandbox(NewAccount(), created.SandboxId!).ListFilesAsync(Everything));
        await session.EndAsync(purge: false);
        var gone = await RefusalAsync(() => Sandbox(accountId, created.SandboxId!).ListFilesAsync(Everything));

        Assert.Equal((CerverError.Conflict, CerverError.Conflict), (other.Code, gone.Code));
    }

    [Fact]
    public async Task The_sandbox_of_a_session_is_named_while_it_has_one_and_is_its_own()
    {
        var (session, _, _) = cluster.NewSession();
        var missing = await RefusalAsync(() => session.GetSandboxAsync());
        var created = (await session.CreateAsync(Request())).Value;
        Assert.Equal(created.SandboxId, await session.GetSandboxAsync());

        var changed = (await session.ChangeComputeAsync(new(ComputeChoiceKind.Provider, "scripted"))).Value;
        var stale = await RefusalAsync(() => session.TouchFilesAsync(created.SandboxId!));
        await session.TouchFilesAsync(changed.SandboxId!);
        await session.ChangeComputeAsync(ComputeChoice.None);
        var none = await RefusalAsync(() => session.GetSandboxAsync());
        await session.EndAsync(purge: false);
        var ended = await RefusalAsync(() => session.TouchFilesAsync(changed.SandboxId!));

        Assert.Equal((CerverError.NotFound, CerverError.Conflict), (missing.Code, stale.Code));
        Assert.Equal((CerverError.NoCompute, CerverError.SessionEnded), (none.Code, ended.Code));
    }

    [Fact]
    public async Task To_touch_files_is_activity_and_leaves_no_entry_and_no_event()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var created = (await session.CreateAsync(Request())).Value;

        await session.TouchFilesAsync(created.SandboxId!);

        var record = (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Session;
        Assert.True(record.UpdatedAt > created.UpdatedAt);
        Assert.Equal((created.Status, 0L), (record.Status, record.TranscriptTotal));
        Assert.Equal(1, (await cluster.Recall.ReadEventsAsync(accountId, sessionId, from: 0)).Head);
    }

    private static Task<CerverException> RefusalAsync(Func<Task> call) => Assert.ThrowsAsync<CerverException>(call);

    private IComputeGrain Sandbox(string accountId, string sandboxId) => cluster.Grains.GetGrain<IComputeGrain>(SandboxKey.For(accountId, sandboxId));

    private sealed class ObstructedFiles : ISandboxFiles
    {
        public const string Reason = "Something stands in the way; move it.";

        public string? Obstacle => Reason;

        public Task<FileListing> ListAsync(string sandboxId, ListFiles request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<FilePart> ReadAsync(string sandboxId, ReadFile request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task BeginAsync(string sandboxId, BeginFile request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task WriteAsync(string sandboxId, WriteFile part, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<FilePlaced> PlaceAsync(string sandboxId, PlaceFile request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task AbandonAsync(string sandboxId, string uploadId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task DeleteAsync(string sandboxId, DeleteFile request, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
