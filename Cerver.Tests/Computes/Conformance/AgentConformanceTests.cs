using System.Net.WebSockets;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;
using Cerver.Tests.Computes.Machines;
using Cerver.Tests.Relays;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>Sandboxes of a relay that is not ours, over a real WebSocket. It does not say what they can do, so they have to do no more than every sandbox.</summary>
public sealed class AgentConformanceTests : ComputeProviderConformance
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task It_does_not_say_what_its_sandboxes_can_do() => Assert.Null((await Subject.DescribeAsync(Provider)).Capabilities);

    [Fact]
    public async Task Both_outputs_are_there_when_the_program_has_ended()
    {
        await using var sandbox = await OpenAsync();

        var run = await sandbox.RunAsync("echo one; echo two >&2; echo three; exit 3");

        Assert.Equal(("one\nthree\n", "two\n", 3), (run.Text, run.ErrorText, run.ExitCode));
    }

    [Fact]
    public async Task A_program_that_takes_too_long_is_gone_with_all_that_it_started()
    {
        await using var sandbox = await OpenAsync();
        var sleep = LentMachine.NewSleep();
        var process = await sandbox.StartAsync(Command($"trap '' TERM; sleep {sleep} & echo up; touch up; wait") with { Timeout = TimeSpan.FromSeconds(2) }, CancellationToken.None);
        Assert.Equal(0, (await sandbox.RunAsync("until [ -e up ]; do sleep 0.05; done")).ExitCode);

        var run = await process.FinishAsync();

        Assert.Equal(("up\n", 137), (run.Text, run.ExitCode));
        Assert.False(LentMachine.Runs(sleep));
    }

    [Fact]
    public async Task A_sandbox_is_closed_once_and_for_all_its_runs_and_found_again_by_the_name_that_its_relay_gave_it()
    {
        var sandbox = await OpenAsync();
        var process = await sandbox.StartAsync("touch file; sleep 1000");

        await sandbox.DisposeAsync();
        await sandbox.DisposeAsync();

        Assert.Null(await process.Exit.WaitAsync(Patience));
        await sandbox.Closed.WaitAsync(Patience);
        await Assert.ThrowsAsync<SandboxDownException>(() => sandbox.StartAsync("true"));
        await using var again = ((AgentProvider)Provider).Attach(((AgentSandbox)sandbox).RemoteId);
        Assert.Equal(0, (await again.RunAsync("until [ -e file ]; do sleep 0.05; done")).ExitCode);
    }

    [Fact]
    public async Task What_runs_in_a_sandbox_that_is_removed_is_gone_and_whoever_uses_it_finds_it_down()
    {
        await using var sandbox = await OpenAsync();
        var sleep = LentMachine.NewSleep();
        var process = await sandbox.StartAsync($"sleep {sleep}; true");
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        await ((AgentSandbox)sandbox).RemoveAsync(CancellationToken.None);
        await ((AgentSandbox)sandbox).RemoveAsync(CancellationToken.None);

        Assert.False(LentMachine.Runs(sleep));
        Assert.Equal(137, await process.Exit.WaitAsync(Patience));
        Assert.Null((await sandbox.RunAsync("true")).ExitCode);
        await sandbox.Closed.WaitAsync(Patience);
        await Assert.ThrowsAsync<SandboxDownException>(() => sandbox.StartAsync("true"));
    }

    private protected override async Task<IProviderUnderTest> CreateAsync()
    {
        var line = await RelayLine.StartAsync();
        var relay = await ShellRelay.ConnectAsync(line.Address);
        await line.Connected.WaitAsync(TimeSpan.FromMinutes(1));
        return new AgentSubject(line, relay);
    }

    private sealed class AgentSubject : IProviderUnderTest
    {
        private readonly RelayLine _line;
        private readonly ShellRelay _relay;
        private readonly Dictionary<IComputeProvider, MachineCalls> _machines = [];
        private MachineGateway? _gateway;

        public AgentSubject(RelayLine line, ShellRelay relay)
        {
            (_line, _relay) = (line, relay);
            Provider = Add(new MachineCalls(line, line.ComputeId));
        }

        public IComputeProvider Provider { get; }

        public Task<ComputeInfo> DescribeAsync(IComputeProvider provider) => _machines[provider].DescribeAsync(CancellationToken.None);

        public async Task<IComputeProvider> WithoutAccessAsync()
        {
            _gateway = new MachineGateway();
            await _gateway.InitializeAsync();
            var computeId = await _gateway.RegisterAsync();
            var refusal = await Assert.ThrowsAsync<WebSocketException>(() => ScriptedRelay.DialAsync(_gateway.Address, computeId, "not-a-token-of-this-gateway"));
            Assert.Contains("401", refusal.Message, StringComparison.Ordinal);
            return Add(new MachineCalls(_gateway.Machine(computeId), computeId));
        }

        public async ValueTask DisposeAsync()
        {
            await _relay.DisposeAsync();
            await _line.DisposeAsync();
            if (_gateway is not null)
            {
                await _gateway.DisposeAsync();
            }
        }

        private AgentProvider Add(MachineCalls machine)
        {
            var provider = new AgentProvider(machine, remoteId: null, TimeProvider.System);
            _machines.Add(provider, machine);
            return provider;
        }
    }
}
