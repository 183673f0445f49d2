using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes.Machines;
using Cerver.Tests.Storage;
using Orleans.Runtime;

namespace Cerver.Tests.Computes.Machines;

/// <summary>A machine's grain, with a clock that is set forward and front doors that are objects of the test.</summary>
public sealed class MachineGrainTests(MachineGrainTests.Fixture fixture) : IClassFixture<MachineGrainTests.Fixture>
{
    private readonly GrainCluster _cluster = fixture.Cluster;
    private readonly string _account = GrainCluster.NewAccount();
    private readonly string _computeId = MachineGateway.NewId();

    private IMachineGrain Machine => Of(_computeId);

    [Fact]
    public async Task A_machine_that_has_missed_three_heartbeats_is_offline_until_the_next_one()
    {
        await Machine.RegisterAsync(new("workshop"));
        var (_, channel) = await ConnectAsync("chan_1");

        await PassAsync(TimeSpan.FromSeconds(179), "chan_1", channel);
        var before = await Machine.DescribeAsync();
        await PassAsync(TimeSpan.FromSeconds(2), "chan_1", channel);
        var missed = await Machine.DescribeAsync();
        var refusal = await Assert.ThrowsAsync<CerverException>(() => Machine.RequestAsync(MachineGateway.Request()));
        var beaten = await Machine.HeartbeatAsync(new());

        Assert.Equal(ComputeStatus.Ready, before!.Status);
        Assert.Equal(ComputeStatus.Offline, missed!.Status);
        Assert.Contains("missed three heartbeats", missed.Reason, StringComparison.Ordinal);
        Assert.Equal(CerverError.ComputeOffline, refusal.Code);
        Assert.Equal((ComputeStatus.Ready, null), (beaten.Status, beaten.Reason));
    }

    [Fact]
    public async Task A_machine_that_says_so_is_offline_and_any_other_word_means_that_it_is_there()
    {
        await Machine.RegisterAsync(new());
        await ConnectAsync("chan_1");

        var says = await Machine.HeartbeatAsync(new("offline"));
        var busy = await Machine.HeartbeatAsync(new("busy"));

        Assert.Equal(ComputeStatus.Offline, says.Status);
        Assert.Contains("says of itself", says.Reason, StringComparison.Ordinal);
        Assert.Equal(ComputeStatus.Ready, busy.Status);
    }

    [Fact]
    public async Task A_front_door_that_died_without_a_word_is_missed_and_what_is_under_way_there_fails()
    {
        await Machine.RegisterAsync(new());
        await ConnectAsync("chan_1");
        var underWay = Machine.RequestAsync(MachineGateway.Request());

        fixture.Time.Advance(TimeSpan.FromSeconds(36));
        var missed = await Machine.DescribeAsync();

        Assert.Equal(ComputeStatus.Offline, missed!.Status);
        Assert.Equal(CerverError.ComputeOffline, (await Assert.ThrowsAsync<CerverException>(() => underWay)).Code);
    }

    [Fact]
    public async Task A_new_activation_takes_over_the_channel_that_it_is_told_of_and_of_two_the_later()
    {
        await Machine.RegisterAsync(new("workshop"));
        var (old, oldEnd) = await ConnectAsync("chan_1");
        await DeactivateAsync();
        var before = await Machine.DescribeAsync();
        var isOld = await Machine.RenewAsync("chan_1", oldEnd);
        var (latest, latestEnd) = NewEnd();
        var isLatest = await Machine.RenewAsync("chan_2", latestEnd);
        var isOldStill = await Machine.RenewAsync("chan_1", oldEnd);
        var after = await Machine.DescribeAsync();

        Assert.Equal((ComputeStatus.Offline, "workshop"), (before!.Status, before.Label));
        Assert.Equal((true, true, false), (isOld, isLatest, isOldStill));
        Assert.Equal(ComputeStatus.Ready, after!.Status);
        await old.Ended.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(latest.Ended.Task.IsCompleted);
    }

    [Fact]
    public async Task What_comes_late_of_a_channel_that_was_replaced_changes_nothing()
    {
        await Machine.RegisterAsync(new());
        var (_, first) = await ConnectAsync("chan_2");
        var (_, second) = await ConnectAsync("chan_1");

        await Machine.DisconnectAsync("chan_2");
        var connects = await Machine.ConnectAsync("chan_2", first);
        var renews = await Machine.RenewAsync("chan_2", first);
        var stays = await Machine.RenewAsync("chan_1", second);
        var status = (await Machine.DescribeAsync())!.Status;
        await Machine.DisconnectAsync("chan_1");
        var returns = await Machine.RenewAsync("chan_1", second);

        Assert.Equal((false, false, true, ComputeStatus.Ready), (connects, renews, stays, status));
        Assert.False(returns);
        Assert.Equal(ComputeStatus.Offline, (await Machine.DescribeAsync())!.Status);
    }

    [Fact]
    public async Task A_call_that_is_made_again_connects_once()
    {
        await Machine.RegisterAsync(new());
        var (front, channel) = NewEnd();

        Assert.True(await Machine.ConnectAsync("chan_1", channel));
        Assert.True(await Machine.ConnectAsync("chan_1", channel));

        Assert.False(front.Ended.Task.IsCompleted);
        Assert.Equal(ComputeStatus.Ready, (await Machine.DescribeAsync())!.Status);
    }

    [Fact]
    public async Task A_request_that_its_caller_gives_up_waits_no_longer()
    {
        await Machine.RegisterAsync(new());
        var (front, _) = await ConnectAsync("chan_1");
        using var giveUp = new CancellationTokenSource();
        var underWay = Machine.RequestAsync(MachineGateway.Request(), giveUp.Token);
        await front.NextAsync();

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => underWay);
    }

    [Fact]
    public async Task What_is_not_registered_has_no_channel_no_heartbeat_and_no_end()
    {
        var (_, channel) = NewEnd();
        Func<Task>[] calls =
        [
            () => Machine.HeartbeatAsync(new()), () => Machine.ConnectAsync("chan_1", channel), () => Machine.RequestAsync(MachineGateway.Request()), () => Machine.DeleteAsync(),
        ];

        foreach (var call in calls)
        {
            Assert.Equal(CerverError.NotFound, (await Assert.ThrowsAsync<CerverException>(call)).Code);
        }

        Assert.Null(await Machine.DescribeAsync());
        Assert.False(await Machine.RenewAsync("chan_1", channel));
    }

    [Fact]
    public async Task Machines_that_register_at_once_are_all_in_the_list_before_the_providers_and_outlive_their_activations()
    {
        var ids = Enumerable.Range(0, 20).Select(static _ => MachineGateway.NewId()).ToList();

        await Task.WhenAll(ids.Select(id => Of(id).RegisterAsync(new(Metadata: """{"a":1}"""))));
        await fixture.Cluster.DeactivateAllAsync();
        await Of(ids[0]).DeleteAsync();
        await Of(ids[0]).DeleteAsync();

        var listed = await _cluster.Grains.GetGrain<IAccountGrain>(AccountKey.For(_account)).ListComputesAsync();
        Assert.Equal(ids[1..].Order(StringComparer.Ordinal), listed[..19].Select(static compute => compute.ComputeId).Order(StringComparer.Ordinal));
        Assert.All(listed[..19], machine => Assert.Equal((_account, null), (machine.Machine!.OwnerId, machine.Machine.Metadata)));
        Assert.All(listed[19..], static compute => Assert.Null(compute.Machine));
    }

    [Fact]
    public async Task An_account_has_so_many_machines_and_no_more()
    {
        var list = _cluster.Grains.GetGrain<IAccountMachinesGrain>(AccountMachinesKey.For(_account));
        for (var count = 0; count < AccountMachinesGrain.MaxMachines; count++)
        {
            await list.AddAsync($"comp_{count}");
        }

        var refusal = await Assert.ThrowsAsync<CerverException>(() => Machine.RegisterAsync(new()));
        await Of("comp_7").RegisterAsync(new("one of them"));

        Assert.Equal(CerverError.Conflict, refusal.Code);
        Assert.Contains("1000 machines", refusal.Message, StringComparison.Ordinal);
        Assert.Null(await Machine.DescribeAsync());
    }

    private IMachineGrain Of(string computeId) => _cluster.Grains.GetGrain<IMachineGrain>(MachineKey.For(_account, computeId));

    private async Task<(FrontEnd Front, IMachineChannel End)> ConnectAsync(string channelId)
    {
        var (front, end) = NewEnd();
        Assert.True(await Machine.ConnectAsync(channelId, end));
        return (front, end);
    }

    private (FrontEnd Front, IMachineChannel End) NewEnd()
    {
        var front = new FrontEnd();
        fixture.Fronts.Add(front);
        return (front, _cluster.Client.CreateObjectReference<IMachineChannel>(front));
    }

    /// <summary>Time passes, and the front door says that the channel is there.</summary>
    private async Task PassAsync(TimeSpan span, string channelId, IMachineChannel channel)
    {
        fixture.Time.Advance(span);
        Assert.True(await Machine.RenewAsync(channelId, channel));
    }

    private Task DeactivateAsync() => _cluster.DeactivateAsync(Machine.GetGrainId());

    /// <summary>A front door that has a socket.</summary>
    private sealed class FrontEnd : IMachineChannel
    {
        private readonly System.Threading.Channels.Channel<string> _sent = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask<string> NextAsync() => _sent.Reader.ReadAsync();

        public Task SendAsync(string requestId, MachineRequest request)
        {
            _sent.Writer.TryWrite(requestId);
            return Task.CompletedTask;
        }

        public Task EndAsync()
        {
            Ended.TrySetResult();
            return Task.CompletedTask;
        }
    }

    public sealed class Fixture : IAsyncLifetime
    {
        public Fixture() => Cluster = new() { Time = Time };

        internal ShiftedTime Time { get; } = new();

        internal GrainCluster Cluster { get; }

        /// <summary>Orleans does not hold on to them.</summary>
        internal ConcurrentBag<object> Fronts { get; } = [];

        public Task InitializeAsync() => Cluster.InitializeAsync();

        public Task DisposeAsync() => Cluster.DisposeAsync();
    }
}
