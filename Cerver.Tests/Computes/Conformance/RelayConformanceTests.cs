using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;
using Cerver.Runs;
using Cerver.Tests.Relays;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>Sandboxes of our relay, in a process of its own, over a real WebSocket.</summary>
public sealed class RelayConformanceTests : ComputeProviderConformance
{
    private protected override async Task<IProviderUnderTest> CreateAsync()
    {
        var line = await RelayLine.StartAsync();
        return new Subject(line, await ConnectAsync(line));
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

    private sealed class Subject(RelayLine line, (RelayProcess Process, string Data) relay) : IProviderUnderTest
    {
        private readonly List<(RelayLine Line, RelayProcess Process, string Data)> _all = [(line, relay.Process, relay.Data)];

        public IComputeProvider Provider { get; } = new Following(line);

        public bool Reattaches => true;

        public ComputeInfo Describe(IComputeProvider provider) => new(
            "comp_1", "a machine", MachineKey.Provider, provider == Provider ? ComputeStatus.Ready : ComputeStatus.Offline, provider == Provider ? null : "It is not connected.", "private", "host",
            [SandboxRuntime.Shell], Network: true);

        public Task LoseAsync(ISandbox sandbox)
        {
            foreach (var container in HostProcesses.Tree(relay.Process.Id).Where(static process => process.CommandLine.Contains("bwrap", StringComparison.Ordinal)))
            {
                using var process = System.Diagnostics.Process.GetProcessById(container.Id);
                process.Kill();
            }

            return Task.CompletedTask;
        }

        public async Task<IComputeProvider> WithRoomForOneAsync()
        {
            var other = await RelayLine.StartAsync();
            var (process, data) = await ConnectAsync(other, ("Cerver__Compute__Local__UserIdCount", "1"));
            _all.Add((other, process, data));
            return new Following(other);
        }

        public async Task<IComputeProvider> WithoutAccessAsync()
        {
            var other = await RelayLine.StartAsync();
            var data = Directory.CreateTempSubdirectory("cerver-relay-").FullName;
            _all.Add((other, RelayProcess.Launch(new Uri("http://127.0.0.1:9"), "token-of-one-who-tests", data), data));
            return new Following(other);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (line, process, data) in _all)
            {
                await process.DisposeAsync();
                await line.DisposeAsync();
                Directory.Delete(data, recursive: true);
            }
        }
    }

    /// <summary>The provider, and what its sandbox's grain does: to take what happens to the sandbox.</summary>
    private sealed class Following(RelayLine line) : IComputeProvider
    {
        private readonly MachineProvider _provider = new(new MachineCalls(line, "comp_1"), TimeProvider.System);

        public string Name => _provider.Name;

        public ComputeInfo Describe() => _provider.Describe();

        public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken) =>
            line.Follow(spec.SandboxId, (MachineSandbox)await _provider.OpenAsync(spec, cancellationToken));

        public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken) => _provider.ListAsync(cancellationToken);

        public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => _provider.SetAsideAsync(sandboxId, cancellationToken);

        public Task EraseAsync(CancellationToken cancellationToken) => _provider.EraseAsync(cancellationToken);

        public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken) => _provider.RemoveAsync(sandboxId, cancellationToken);
    }
}
