using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;
using Cerver.Tests.Computes.Machines;
using Cerver.Tests.Relays;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>Sandboxes of our relay, in a process of its own, over a real WebSocket.</summary>
public sealed class RelayConformanceTests : SandboxProviderConformance
{
    private protected override async Task<IProviderUnderTest> CreateAsync()
    {
        var line = await RelayLine.StartAsync();
        return new RelaySubject(line, await ConnectAsync(line));
    }

    [Fact]
    public async Task A_program_that_is_forgotten_while_it_prints_is_ended_and_holds_up_no_other()
    {
        await using var subject = await CreateAsync();
        await using var sandbox = await subject.Provider.OpenAsync(new SandboxSpec(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);
        var sleep = LentMachine.NewSleep();
        var unwanted = await sandbox.StartAsync($"sleep {sleep} & yes");
        await using var output = unwanted.Output.GetAsyncEnumerator();
        Assert.True(await output.MoveNextAsync());
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        unwanted.Forget();

        await Waiting.UntilAsync(() => !LentMachine.Runs(sleep));
        Assert.Equal("next\n", (await sandbox.RunAsync("echo next").WaitAsync(TimeSpan.FromMinutes(1))).Text);
    }

    private static async Task<(RelayProcess Relay, string Data)> ConnectAsync(RelayLine line, params (string Name, string Value)[] settings)
    {
        var data = Directory.CreateTempSubdirectory("cerver-relay-").FullName;
        var relay = RelayProcess.Launch(line.Address, "token-of-one-who-tests", data, settings);
        await line.Connected.WaitAsync(TimeSpan.FromMinutes(1));
        return (relay, data);
    }

    private sealed class RelaySubject : ISandboxProviderUnderTest
    {
        private readonly List<(RelayLine Line, RelayProcess Process, string Data)> _all = [];
        private readonly Dictionary<IComputeProvider, MachineCalls> _machines = [];
        private MachineGateway? _gateway;

        public RelaySubject(RelayLine line, (RelayProcess Process, string Data) relay) => Provider = Add(line, relay);

        public IComputeProvider Provider { get; }

        public Task<ComputeInfo> DescribeAsync(IComputeProvider provider) => _machines[provider].DescribeAsync(CancellationToken.None);

        public (ISandbox Sandbox, ISandboxProcess Process)? Follow(string sandboxId, string runId)
        {
            // The line delivers to the one that was followed last, which knows nothing yet of what was delivered before.
            var sandbox = _all[0].Line.Follow(sandboxId, new MachineProvider(_machines[Provider], TimeProvider.System).Attach(new SandboxSpec(sandboxId, Network: false)));
            return (sandbox, sandbox.Follow(runId));
        }

        public Task LoseAsync(ISandbox sandbox)
        {
            foreach (var container in HostProcesses.Tree(_all[0].Process.Id).Where(static process => process.CommandLine.Contains("bwrap", StringComparison.Ordinal)))
            {
                using var process = System.Diagnostics.Process.GetProcessById(container.Id);
                process.Kill();
            }

            return Task.CompletedTask;
        }

        public Task<IComputeProvider> WithRoomForOneAsync() => AnotherAsync(("Cerver__Compute__Local__UserIdCount", "1"));

        public Task<IComputeProvider> WithoutNetworkAsync() => AnotherAsync(("Cerver__Compute__Local__AllowNetwork", "false"));

        public async Task<IComputeProvider> WithoutAccessAsync()
        {
            _gateway = new MachineGateway();
            await _gateway.InitializeAsync();
            await using var refused = await LentMachine.LaunchAsync(_gateway.Address, "not-a-token-of-this-gateway", await _gateway.RegisterAsync());
            Assert.Equal(1, await refused.Relay.EndedAsync());
            Assert.Contains("refused this machine (401)", refused.Relay.Errors, StringComparison.Ordinal);
            return Add(new MachineCalls(_gateway.Machine(refused.ComputeId), refused.ComputeId), line: null);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (line, process, data) in _all)
            {
                await process.DisposeAsync();
                await line.DisposeAsync();
                Directory.Delete(data, recursive: true);
            }

            if (_gateway is not null)
            {
                await _gateway.DisposeAsync();
            }
        }

        private async Task<IComputeProvider> AnotherAsync(params (string Name, string Value)[] settings)
        {
            var line = await RelayLine.StartAsync();
            return Add(line, await ConnectAsync(line, settings));
        }

        private Following Add(RelayLine line, (RelayProcess Process, string Data) relay)
        {
            _all.Add((line, relay.Process, relay.Data));
            return Add(new MachineCalls(line, line.ComputeId), line);
        }

        private Following Add(MachineCalls machine, RelayLine? line)
        {
            var provider = new Following(new MachineProvider(machine, TimeProvider.System), line);
            _machines.Add(provider, machine);
            return provider;
        }
    }

    /// <summary>The provider, and what its sandbox's grain does: to take what happens to the sandbox.</summary>
    private sealed class Following(MachineProvider provider, RelayLine? line) : IComputeProvider
    {
        public string Name => provider.Name;

        public ISandboxFiles Files => provider.Files;

        public ComputeInfo Describe() => provider.Describe();

        public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
        {
            var sandbox = (MachineSandbox)await provider.OpenAsync(spec, cancellationToken);
            return line?.Follow(spec.SandboxId, sandbox) ?? sandbox;
        }

        public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken) => provider.ListAsync(cancellationToken);

        public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => provider.SetAsideAsync(sandboxId, cancellationToken);

        public Task EraseAsync(CancellationToken cancellationToken) => provider.EraseAsync(cancellationToken);

        public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken) => provider.RemoveAsync(sandboxId, cancellationToken);
    }
}
