using Cerver.Computes;
using Cerver.Errors;
using Cerver.Tests.Api;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Computes.Machines;

/// <summary>A front door's end of a socket, by a clock that a test sets forward.</summary>
public sealed class MachineSocketTests : IAsyncLifetime
{
    private const string Token = "alice-secret-token-0123";

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private ApiHost _api = null!;
    private string _computeId = null!;

    private FakeMachine Machine => _api.Cluster.Machine(MachineKey.For("alice", _computeId));

    public async Task InitializeAsync()
    {
        _api = await ApiHost.StartInClusterAsync(_time);
        _computeId = await _api.RegisterMachineAsync();
    }

    public async Task DisposeAsync() => await _api.DisposeAsync();

    [Fact]
    public async Task A_machine_is_asked_every_20_seconds_whether_it_is_there_and_its_grain_is_told_every_10()
    {
        await using var relay = await ScriptedRelay.ConnectAsync(_api.Address, _computeId, Token);
        for (var tick = 1; tick <= 12; tick++)
        {
            await TickAsync(tick);
            if (tick % 2 == 0)
            {
                Assert.Equal("""{"type":"ping"}""", (await relay.NextAsync()).GetRawText());
                await relay.SendAsync(new { type = "pong" });
                await HeardAsync(relay);
            }
        }

        Assert.Empty(Machine.Ended);
        await relay.CloseAsync();
    }

    [Fact]
    public async Task A_socket_that_is_half_open_is_broken_off_after_a_minute_of_silence()
    {
        await using var relay = await ScriptedRelay.ConnectAsync(_api.Address, _computeId, Token);
        var channelId = Machine.ChannelId!;
        for (var tick = 1; tick <= 5; tick++)
        {
            await TickAsync(tick);
        }

        Assert.Empty(Machine.Ended);
        _time.Advance(Tick);

        Assert.Null(await relay.EndedAsync());
        await UntilAsync(() => !Machine.Ended.IsEmpty);
        Assert.Equal([channelId], Machine.Ended);
    }

    [Fact]
    public async Task A_socket_whose_machine_has_another_one_is_broken_off()
    {
        await using var relay = await ScriptedRelay.ConnectAsync(_api.Address, _computeId, Token);
        Machine.IsTaken = false;

        _time.Advance(Tick);

        Assert.Null(await relay.EndedAsync());
    }

    [Fact]
    public async Task A_machine_that_dials_another_socket_meanwhile_is_told_to_come_back()
    {
        Machine.IsTaken = false;

        var refusal = await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(() => ScriptedRelay.DialAsync(_api.Address, _computeId, Token));

        Assert.Contains("503", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([Machine.ChannelId!], Machine.Ended);
    }

    [Fact]
    public async Task A_machine_that_takes_nothing_has_so_much_to_take_and_no_more()
    {
        await using var relay = await ScriptedRelay.ConnectAsync(_api.Address, _computeId, Token);
        var request = MachineGateway.Request("POST", body: $"\"{new string('x', 1_000_000)}\"");

        var refusal = await Assert.ThrowsAsync<CerverException>(async () =>
        {
            // The buffers of the network take some of it.
            for (var sent = 0; sent < 1_000; sent++)
            {
                await Machine.Channel!.SendAsync($"req_{sent}", request);
            }
        });

        Assert.Equal(CerverError.RateLimited, refusal.Code);
        relay.Vanish();
        await UntilAsync(() => !Machine.Ended.IsEmpty);
        Assert.Equal(CerverError.ComputeOffline, Assert.Throws<CerverException>(() => { _ = Machine.Channel!.SendAsync("req_late", request); }).Code);
    }

    /// <summary>Lets the upkeep of the socket run once.</summary>
    private async Task TickAsync(int renewals)
    {
        _time.Advance(Tick);
        await UntilAsync(() => Machine.Renewals >= renewals);
    }

    /// <summary>Frames are read in order, so what was sent before was heard when this has had its effect.</summary>
    private async Task HeardAsync(ScriptedRelay relay)
    {
        var answers = Machine.Answers;
        await relay.SendAsync(new { type = "response", request_id = "req_heard", status = 200, headers = new { }, body = "x" });
        await UntilAsync(() => Machine.Answers > answers);
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!holds())
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }
}
