using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Hosts;
using Orleans.Runtime;

namespace Cerver.Tests.Computes.Hosts;

public sealed class HostProvidersTests
{
    private const string Own = "0a1b2c3d";
    private const string Other = "ffffffff";

    private static readonly Provider Everywhere = new("cloud", IsOnHost: false);
    private static readonly Provider Here = new("local", IsOnHost: true);

    private readonly HostProviders _providers = new([Everywhere, Here], new OneOfMany());

    [Fact]
    public void A_host_has_the_providers_that_only_its_silo_can_reach_and_no_host_has_the_others()
    {
        Assert.Equal<IComputeProvider>([Here], _providers.Of(Own));
        Assert.Equal<IComputeProvider>([Everywhere], _providers.Of(""));
        Assert.Empty(_providers.Of(Other));
    }

    [Fact]
    public void A_silo_that_is_all_there_is_has_all_of_them() =>
        Assert.Equal<IComputeProvider>([Everywhere, Here], new HostProviders([Everywhere, Here], new SingleHost()).Of(""));

    [Fact]
    public void The_provider_of_a_sandbox_on_this_host_or_on_none_is_the_one_of_its_name()
    {
        Assert.Same(Here, _providers.Of(Ids.NewSandbox(TimeProvider.System, Own), "local"));
        Assert.Same(Everywhere, _providers.Of(Ids.NewSandbox(TimeProvider.System), "cloud"));
        Assert.Null(_providers.Of(Ids.NewSandbox(TimeProvider.System), "unknown"));
    }

    [Fact]
    public async Task A_sandbox_on_another_host_cannot_be_opened_here_and_its_files_are_left_alone()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System, Other);
        var absent = _providers.Of(sandboxId, "local")!;

        var refusal = await Assert.ThrowsAsync<CerverException>(() => absent.OpenAsync(new(sandboxId, Network: false), CancellationToken.None));
        await absent.RemoveAsync(sandboxId, CancellationToken.None);

        Assert.Equal(CerverError.HostUnavailable, refusal.Code);
        Assert.NotSame(Here, absent);
    }

    [Fact]
    public void A_host_is_named_after_its_silo_the_same_way_in_every_process()
    {
        Assert.Equal(ClusterHosts.NameOf("silo-a"), ClusterHosts.NameOf("silo-a"));
        Assert.NotEqual(ClusterHosts.NameOf("silo-a"), ClusterHosts.NameOf("silo-b"));
        Assert.Matches("^[0-9a-f]{8}$", ClusterHosts.NameOf("silo-a"));
    }

    private sealed class OneOfMany : ISandboxHosts
    {
        public string Own => HostProvidersTests.Own;

        public ImmutableArray<string> Active => [HostProvidersTests.Own, Other];

        public SiloAddress? Find(string host) => null;
    }

    private sealed record Provider(string Name, bool IsOnHost) : IComputeProvider
    {
        public ComputeInfo Describe() => throw new NotSupportedException();

        public Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task EraseAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
