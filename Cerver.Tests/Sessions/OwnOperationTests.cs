using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Operations;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Core.Internal;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Sessions;

/// <summary>Writes that the Api named itself happen once, and are looked up only when they are made again.</summary>
public abstract class OwnOperationTests(GrainCluster cluster)
{
    [Fact]
    public async Task An_append_that_is_made_again_is_found_by_another_activation_with_other_appends_in_between()
    {
        var (session, accountId, sessionId) = await CreateAsync(ComputeChoice.None);
        var operation = NewOperation();

        var first = await session.AppendAsync(new([Text("a"), Text("b"), Text("c")]), operation);
        await session.AppendAsync(new([Text("d")]), NewOperation());
        await session.AppendAsync([Text("e")]);
        await LeaveAsync(session);
        var again = await session.AppendAsync(new([Text("a"), Text("b"), Text("c")]), operation with { IsRepetition = true });

        Assert.Equal((new Outcome<long>(3, IsReplayed: false), new Outcome<long>(3, IsReplayed: true)), (first, again));
        Assert.Equal(["a", "b", "c", "d", "e"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task An_append_that_is_made_again_and_was_never_made_is_made()
    {
        var (session, accountId, sessionId) = await CreateAsync(ComputeChoice.None);
        var operation = NewOperation() with { IsRepetition = true };

        var first = await session.AppendAsync(new([Text("a")]), operation);
        var again = await session.AppendAsync(new([Text("a")]), operation);

        Assert.Equal((new Outcome<long>(1, IsReplayed: false), new Outcome<long>(1, IsReplayed: true)), (first, again));
        Assert.Equal(["a"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task A_call_that_comes_late_is_looked_up_although_it_says_that_it_is_the_first()
    {
        var (session, accountId, sessionId) = await CreateAsync(ComputeChoice.None);
        var operation = Operation.New(TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(3));
        await session.AppendAsync(new([Text("a")]), operation with { IsRepetition = true });
        await LeaveAsync(session);

        var late = await session.AppendAsync(new([Text("a")]), operation);

        Assert.Equal(new Outcome<long>(1, IsReplayed: true), late);
        Assert.Equal(["a"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task A_first_attempt_that_comes_after_its_repetition_is_not_carried_out_also_when_that_was_refused()
    {
        var (session, accountId, sessionId) = await CreateAsync(ComputeChoice.None);
        var (done, refused) = (NewOperation(), NewOperation());
        await session.AppendAsync(new([Text("a")]), done with { IsRepetition = true });
        await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync(new([Text("b")], ExpectedTotal: 2), refused with { IsRepetition = true }));
        await session.AppendAsync([Text("c")]);

        var overtaken = await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync(new([Text("a")]), done));
        var late = await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync(new([Text("b")], ExpectedTotal: 2), refused));

        Assert.Equal((CerverError.Fenced, CerverError.Fenced), (overtaken.Code, late.Code));
        Assert.Equal(["a", "c"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task An_append_that_the_Api_named_is_found_when_the_session_has_ended_and_when_another_length_was_expected()
    {
        var (session, _, _) = await CreateAsync(ComputeChoice.None);
        var operation = NewOperation();
        await session.AppendAsync(new([Text("a")], ExpectedTotal: 0), operation);
        await session.EndAsync(purge: false);

        var again = await session.AppendAsync(new([Text("a")], ExpectedTotal: 0), operation with { IsRepetition = true });

        Assert.Equal(new Outcome<long>(1, IsReplayed: true), again);
    }

    [Fact]
    public async Task Appends_that_the_Api_named_leave_no_row_of_their_own()
    {
        var (session, accountId, _) = await CreateAsync(ComputeChoice.None);
        var operation = NewOperation();

        await session.AppendAsync(new([Text("a")]), operation);

        Assert.Null(await FindAsync(accountId, operation));
    }

    [Fact]
    public async Task Two_accounts_and_two_sessions_do_not_find_each_others_appends()
    {
        var (one, accountId, _) = await CreateAsync(ComputeChoice.None);
        var (two, _, _) = await CreateAsync(ComputeChoice.None, accountId);
        var operation = NewOperation();
        await one.AppendAsync(new([Text("a")]), operation);

        var other = await two.AppendAsync(new([Text("b")]), operation with { IsRepetition = true });

        Assert.False(other.IsReplayed);
    }

    [Fact]
    public async Task A_creation_that_is_made_again_finds_the_session()
    {
        var (session, _, sessionId) = cluster.NewSession();
        var operation = NewOperation();

        var first = await session.CreateAsync(Request(ComputeChoice.None), operation);
        await session.UpdateAsync(new("other", Metadata: null));
        await LeaveAsync(session);
        var again = await session.CreateAsync(Request(ComputeChoice.None), operation with { IsRepetition = true });

        Assert.Equal((false, true, first.Value), (first.IsReplayed, again.IsReplayed, again.Value));
        Assert.Equal(sessionId, again.Value.SessionId);
    }

    [Fact]
    public async Task An_update_that_is_made_again_does_not_undo_what_came_after_it()
    {
        var (session, _, _) = await CreateAsync(ComputeChoice.None);
        var operation = NewOperation();

        await session.UpdateAsync(new("mine", Metadata: null), operation);
        await session.UpdateAsync(new("yours", Metadata: null), NewOperation());
        await LeaveAsync(session);
        var again = await session.UpdateAsync(new("mine", Metadata: null), operation with { IsRepetition = true });

        Assert.Equal(("mine", true), (again.Value.SessionName, again.IsReplayed));
        Assert.Equal("yours", (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.SessionName);
    }

    [Fact]
    public async Task An_input_that_is_made_again_is_there_once()
    {
        var (session, accountId, sessionId) = await CreateAsync(ComputeChoice.None);
        var operation = NewOperation();

        await session.InputAsync(Text("hi"), operation);
        await LeaveAsync(session);
        var again = await session.InputAsync(Text("hi"), operation with { IsRepetition = true });

        Assert.True(again.IsReplayed);
        Assert.Equal(["hi"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task A_pause_that_is_made_again_leaves_what_was_resumed_after_it()
    {
        var (session, _, _) = await CreateAsync(ComputeChoice.Any);
        var operation = NewOperation();

        var first = await session.PauseAsync(operation);
        await session.ResumeAsync(compute: null, NewOperation());
        await LeaveAsync(session);
        var again = await session.PauseAsync(operation with { IsRepetition = true });

        Assert.Equal((SessionStatus.Idle, SessionStatus.Idle, true), (first.Value.Status, again.Value.Status, again.IsReplayed));
        Assert.Equal(SessionStatus.Running, (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.Status);
        await session.EndAsync(purge: false);
    }

    [Fact]
    public async Task A_pause_that_had_nothing_to_do_writes_nothing_when_the_Api_named_it()
    {
        var (session, accountId, _) = await CreateAsync(ComputeChoice.Any);
        var paused = await session.PauseAsync();
        var operation = NewOperation();

        var again = await session.PauseAsync(operation);

        Assert.Equal(paused.Value.Version, again.Value.Version);
        Assert.Null(await FindAsync(accountId, operation));
        await session.EndAsync(purge: false);
    }

    [Fact]
    public async Task A_repetition_that_had_nothing_to_do_is_noted_so_that_a_late_first_attempt_does_nothing_either()
    {
        var (session, _, _) = await CreateAsync(ComputeChoice.Any);
        await session.PauseAsync();
        var operation = Operation.New(TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(3));

        await session.PauseAsync(operation with { IsRepetition = true });
        await session.ResumeAsync(compute: null);
        await LeaveAsync(session);
        var late = await session.PauseAsync(operation);

        Assert.True(late.IsReplayed);
        Assert.Equal(SessionStatus.Running, (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.Status);
        await session.EndAsync(purge: false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_end_that_is_made_again_is_answered_as_before(bool purge)
    {
        var (session, _, _) = await CreateAsync(ComputeChoice.Any);
        var operation = NewOperation();

        await session.EndAsync(purge, operation);
        await LeaveAsync(session);
        var again = await session.EndAsync(purge, operation with { IsRepetition = true });

        Assert.Equal(new Outcome<SessionStatus>(SessionStatus.Ended, IsReplayed: true), again);
    }

    [Fact]
    public async Task A_run_that_is_started_again_is_the_one_that_was_started()
    {
        var (session, accountId, sessionId) = await CreateAsync(ComputeChoice.Any);
        var (operation, run) = (NewOperation(), Run("echo"));

        var first = await session.StartRunAsync(run, operation);
        await LeaveAsync(session);
        var again = await session.StartRunAsync(run, operation with { IsRepetition = true });

        Assert.Equal((run.RunId, run.RunId, true), (first.Value.RunId, again.Value.RunId, again.IsReplayed));
        Assert.Single(await cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10));
        await session.EndAsync(purge: false);
    }

    [Fact]
    public async Task A_late_duplicate_that_finds_no_name_yet_has_no_second_effect()
    {
        var (session, _, _) = await CreateAsync(ComputeChoice.None);
        var operation = NewOperation();
        await session.UpdateAsync(new("once", Metadata: null), operation);

        // As a first call it is not looked up; the row of its name stands in its way.
        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.UpdateAsync(new("twice", Metadata: null), operation));

        Assert.Equal(CerverError.Fenced, refusal.Code);
        Assert.Equal("once", (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.SessionName);
    }

    [Fact]
    public void No_caller_can_send_a_name_that_the_Api_makes()
    {
        var one = NewOperation();
        var two = NewOperation();

        Assert.NotEqual(one.Key, two.Key);
        Assert.False(one.Key[0] is >= ' ' and <= '~');
        Assert.Null((one with { IsOwn = false }).OwnId);
    }

    private static Operation NewOperation() => Operation.New(TimeProvider.System.GetUtcNow());

    /// <summary>Lets the next call come to another activation.</summary>
    private static async Task LeaveAsync(ISessionGrain session) => await session.AsReference<IGrainManagementExtension>().DeactivateOnIdle();

    private async Task<(ISessionGrain Grain, string AccountId, string SessionId)> CreateAsync(ComputeChoice compute, string? account = null)
    {
        var (session, accountId, sessionId) = cluster.NewSession(account);
        await session.CreateAsync(Request(compute));
        return (session, accountId, sessionId);
    }

    private async Task<RecordedOperation?> FindAsync(string accountId, Operation operation) =>
        await cluster.Services.GetRequiredService<IOperationStore>().FindAsync(accountId, operation.Key, CancellationToken.None);

    private async Task<IEnumerable<string?>> ContentsAsync(string accountId, string sessionId) =>
        (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries.Select(entry => entry.Content);
}

/// <inheritdoc/>
[Collection(nameof(GrainCluster))]
public sealed class SqliteOwnOperationTests(GrainCluster cluster) : OwnOperationTests(cluster);

/// <inheritdoc/>
[Collection(nameof(PostgresGrainCluster))]
public sealed class PostgresOwnOperationTests(PostgresGrainCluster cluster) : OwnOperationTests(cluster);
