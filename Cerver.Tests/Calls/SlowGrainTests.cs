using Cerver.Api.Calls;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;
using Orleans.Configuration;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Calls;

/// <summary>Calls through a real client that waits for a second only.</summary>
public sealed class SlowGrainTests : IAsyncLifetime
{
    private readonly GrainCluster _cluster = new()
    {
        ConfigureClient = static client => client.Services.Configure<ClientMessagingOptions>(static options => options.ResponseTimeout = TimeSpan.FromSeconds(1)),
    };

    private readonly GrainCalls _calls = new(isCluster: true, TimeProvider.System, NullLogger<GrainCalls>.Instance, CancellationToken.None);

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_run_whose_sandbox_takes_longer_to_come_up_than_a_client_waits_starts_once_and_is_not_cut_off()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        await session.CreateAsync(Request());
        await session.PauseAsync();
        var isUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var openings = new List<CancellationToken>();
        _cluster.Provider.Opening = cancellationToken =>
        {
            openings.Add(cancellationToken);
            return isUp.Task;
        };
        var attempts = 0;

        var started = await _calls.WriteAsync(operation: null, (session, Run: Run("echo")), (call, operation) =>
        {
            if (++attempts == 3)
            {
                isUp.SetResult();
            }

            return call.session.StartRunAsync(call.Run, operation);
        });

        Assert.Equal((RunStatus.Running, false), (started.Value.Status, started.IsReplayed));
        Assert.Equal(started.Value.RunId, Assert.Single(await _cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10)).RunId);
        Assert.False(Assert.Single(openings).IsCancellationRequested);
        Assert.InRange(attempts, 3, 4);
        await session.EndAsync(purge: false);
    }

    [Fact]
    public async Task What_says_of_itself_that_it_takes_ten_minutes_is_asked_for_again_after_seconds_all_the_same()
    {
        var (session, accountId, _) = _cluster.NewSession();
        await session.CreateAsync(Request());
        var isDown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster.Provider.Closing = _ => isDown.Task;
        var attempts = 0;

        var ended = await _calls.WriteAsync(operation: null, session, (session, operation) =>
        {
            if (++attempts == 2)
            {
                isDown.SetResult();
            }

            return session.EndAsync(purge: true, operation);
        });

        Assert.Equal((SessionStatus.Ended, false, 2), (ended.Value, ended.IsReplayed, attempts));
        Assert.Empty((await _cluster.Recall.ListSessionsAsync(accountId, new(10))).Sessions);
    }

    [Fact]
    public async Task A_wait_for_news_is_answered_before_the_client_gives_up()
    {
        var (session, _, _) = _cluster.NewSession();
        await session.CreateAsync(Request(Cerver.Computes.ComputeChoice.None));
        var known = await session.WaitAsync(known: 0, TimeSpan.Zero);

        Assert.Equal(known, await session.WaitAsync(known, TimeSpan.FromMilliseconds(500)));
    }

    [Fact]
    public async Task A_client_whose_silos_are_gone_fails_in_a_way_that_is_known()
    {
        await _cluster.StopSiloAsync();

        var read = await Record.ExceptionAsync(() => _cluster.Recall.PingAsync());
        var write = await Record.ExceptionAsync(() => _cluster.NewSession().Grain.PauseAsync());

        Assert.NotEqual(CallFailure.Final, CallFailures.Of(read!));
        Assert.NotEqual(CallFailure.Final, CallFailures.Of(write!));
    }
}
