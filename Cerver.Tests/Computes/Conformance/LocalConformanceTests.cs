using System.Diagnostics;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>Sandboxes on this machine, by the real bubblewrap.</summary>
public sealed class LocalConformanceTests : SandboxProviderConformance
{
    private protected override async Task<IProviderUnderTest> CreateAsync()
    {
        var fixture = new LocalSandboxFixture();
        await fixture.InitializeAsync();
        return new LocalSubject(fixture);
    }

    private sealed class LocalSubject(LocalSandboxFixture fixture) : ISandboxProviderUnderTest
    {
        private readonly List<LocalComputeProvider> _others = [];

        public IComputeProvider Provider => fixture.Provider;

        public Task LoseAsync(ISandbox sandbox)
        {
            using var container = Process.GetProcessById(((LocalSandbox)sandbox).ContainerId);
            container.Kill();
            return Task.CompletedTask;
        }

        public Task<IComputeProvider> WithRoomForOneAsync() => ProbedAsync(new LocalComputeOptions { UserIdCount = 1 });

        public Task<IComputeProvider> WithoutNetworkAsync() => ProbedAsync(new LocalComputeOptions { AllowNetwork = false });

        public Task<IComputeProvider> WithoutAccessAsync() => ProbedAsync(new LocalComputeOptions { BubblewrapPath = "/nowhere/bwrap" });

        public async ValueTask DisposeAsync()
        {
            foreach (var other in _others)
            {
                await other.DisposeAsync();
            }

            await fixture.DisposeAsync();
        }

        private async Task<IComputeProvider> ProbedAsync(LocalComputeOptions options)
        {
            var provider = fixture.CreateProvider(options);
            _others.Add(provider);
            await provider.ProbeAsync(CancellationToken.None);
            return provider;
        }
    }
}
