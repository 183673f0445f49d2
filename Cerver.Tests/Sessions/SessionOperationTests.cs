using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Operations;
using Cerver.Operations;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Sessions;

/// <summary>Writes that carry a key happen once.</summary>
public abstract class SessionOperationTests(GrainCluster cluster)
{
    [Fact]
    public async Task A_session_is_created_once_under_a_key_also_by_concurrent_duplicates()
    {
        var accountId = NewAccount();
        var operation = NewOperation();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CreateAsync(accountId, operation)));

        Assert.Single(outcomes.Select(outcome => outcome.Value.SessionId).Distinct());
        Assert.Single(outcomes, outcome => !outcome.IsReplayed);
        Assert.Single((await cluster.Recall.ListSessionsAsync(accountId, new(10))).Sessions);
    }

    [Fact]
    public async Task An_append_under_a_key_has_one_effect_and_the_first_answer_however_often_and_whenever_it_is_sent()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var operation = NewOperation();

        var first = await session.AppendAsync(new([Text("once")]), operation);
        await session.AppendAsync([Text("something else")]);
        var again = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => session.AppendAsync(new([Text("once")]), operation)));

        Assert.Equal(new Outcome<long>(1, IsReplayed: false), first);
        Assert.All(again, outcome => Assert.Equal(new Outcome<long>(1, IsReplayed: true), outcome));
        Assert.Equal(["once", "something else"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task A_key_that_stands_for_another_request_is_refused_and_nothing_happens()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var operation = NewOperation();
        await session.AppendAsync(new([Text("first")]), operation);

        var refusal = await Assert.ThrowsAsync<CerverException>(
            () => session.AppendAsync(new([Text("other")]), operation with { RequestHash = [9, 9, 9] }));

        Assert.Equal(CerverError.IdempotencyMismatch, refusal.Code);
        Assert.Equal(["first"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task What_was_refused_is_not_recorded_and_may_succeed_later_under_the_same_key()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var operation = NewOperation();

        await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync(new([Text("too early")]), operation));
        await session.CreateAsync(Request(ComputeChoice.None));
        var outcome = await session.AppendAsync(new([Text("too early")]), operation);

        Assert.Equal(new Outcome<long>(1, IsReplayed: false), outcome);
        Assert.Equal(["too early"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task A_key_belongs_to_its_account()
    {
        var operation = NewOperation();

        var mine = await CreateAsync(NewAccount(), operation);
        var yours = await CreateAsync(NewAccount(), operation);

        Assert.Equal((false, false), (mine.IsReplayed, yours.IsReplayed));
        Assert.NotEqual(mine.Value.SessionId, yours.Value.SessionId);
    }

    [Fact]
    public async Task A_run_starts_once_under_a_key_and_is_found_again()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request());
        var operation = NewOperation();

        var first = await session.StartRunAsync(Run("echo"), operation);
        var again = await session.StartRunAsync(Run("echo"), operation);

        Assert.Equal((first.Value.RunId, true), (again.Value.RunId, again.IsReplayed));
        Assert.Single(await cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10));
        await session.EndAsync(purge: false);
    }

    [Fact]
    public async Task A_run_that_was_refused_does_not_use_up_its_key()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        var sandbox = cluster.Provider.Sandbox((await session.CreateAsync(Request())).Value.SandboxId!);
        var operation = NewOperation();

        sandbox.Refusal = new CerverException(CerverError.RateLimited, "Too many processes.");
        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(Run(), operation));
        sandbox.Refusal = null;
        var started = await session.StartRunAsync(Run(), operation);

        Assert.Equal(CerverError.RateLimited, refusal.Code);
        Assert.False(started.IsReplayed);
        Assert.Equal(
            [RunStatus.Running, RunStatus.Lost],
            (await cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10)).Select(run => run.Status));
        await session.EndAsync(purge: false);
    }

    [Fact]
    public async Task A_pause_that_had_nothing_to_do_has_nothing_to_do_when_it_is_sent_again()
    {
        var (session, _, _) = cluster.NewSession();
        await session.CreateAsync(Request());
        await session.PauseAsync();
        var operation = NewOperation();

        var idle = await session.PauseAsync(operation);
        await session.ResumeAsync(compute: null);
        var again = await session.PauseAsync(operation);

        Assert.Equal((SessionStatus.Idle, SessionStatus.Idle, true), (idle.Value.Status, again.Value.Status, again.IsReplayed));
        Assert.Equal(SessionStatus.Running, (await session.UpdateAsync(new(SessionName: null, Metadata: null))).Value.Status);
        await session.EndAsync(purge: false);
    }

    [Fact]
    public async Task Erasing_a_session_erases_what_operations_on_it_answered_but_is_itself_answered_again()
    {
        var (session, accountId, _) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        var (append, purge) = (NewOperation(), NewOperation());
        await session.AppendAsync(new([Text("gone")]), append);

        var first = await session.EndAsync(purge: true, purge);
        var again = await session.EndAsync(purge: true, purge);

        Assert.Equal((false, true), (first.IsReplayed, again.IsReplayed));
        var operations = cluster.Services.GetRequiredService<IOperationStore>();
        Assert.Null(await operations.FindAsync(accountId, append.Key, CancellationToken.None));
        Assert.NotNull(await operations.FindAsync(accountId, purge.Key, CancellationToken.None));
    }

    [Fact]
    public async Task An_append_that_expects_another_length_adds_nothing_and_says_the_length()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));
        await session.AppendAsync(new([Text("a")], ExpectedTotal: 0));

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.AppendAsync(new([Text("b")], ExpectedTotal: 0)));

        Assert.Equal((CerverError.Conflict, 1), (refusal.Code, refusal.TranscriptTotal));
        Assert.Equal(["a"], await ContentsAsync(accountId, sessionId));
    }

    [Fact]
    public async Task Of_many_appends_that_expect_the_same_length_one_succeeds()
    {
        var (session, accountId, sessionId) = cluster.NewSession();
        await session.CreateAsync(Request(ComputeChoice.None));

        var appends = Enumerable.Range(0, 10).Select(i => session.AppendAsync(new([Text($"{i}")], ExpectedTotal: 0))).ToList();
        await Task.WhenAll(appends.Select(append => Record.ExceptionAsync(() => append)));

        Assert.Equal(1, appends.Count(append => append.IsCompletedSuccessfully));
        Assert.Single(await ContentsAsync(accountId, sessionId));
    }

    private static Operation NewOperation() => new(Guid.NewGuid().ToString(), [1, 2, 3]);

    /// <summary>As the front door does it: every attempt has a session id of its own, and one that was overtaken is made again.</summary>
    private async Task<Outcome<SessionRecord>> CreateAsync(string accountId, Operation operation)
    {
        var (session, _, _) = cluster.NewSession(accountId);
        try
        {
            return await session.CreateAsync(Request(ComputeChoice.None), operation);
        }
        catch (CerverException refusal) when (refusal.Code == CerverError.Fenced)
        {
            return await session.CreateAsync(Request(ComputeChoice.None), operation);
        }
    }

    private async Task<IEnumerable<string?>> ContentsAsync(string accountId, string sessionId) =>
        (await cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries.Select(entry => entry.Content);
}

/// <inheritdoc/>
[Collection(nameof(GrainCluster))]
public sealed class SqliteSessionOperationTests(GrainCluster cluster) : SessionOperationTests(cluster);

/// <inheritdoc/>
[Collection(nameof(PostgresGrainCluster))]
public sealed class PostgresSessionOperationTests(PostgresGrainCluster cluster) : SessionOperationTests(cluster);
