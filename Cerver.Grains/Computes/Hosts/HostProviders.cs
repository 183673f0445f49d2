namespace Cerver.Grains.Computes.Hosts;

/// <summary>The providers of this silo, by the host that they belong to.</summary>
internal sealed class HostProviders(IEnumerable<IComputeProvider> providers, ISandboxHosts hosts)
{
    /// <summary>Whether a host is this silo's. What belongs to no host is at home everywhere.</summary>
    public bool IsAtHome(string host) => host.Length == 0 || host.Equals(hosts.Own, StringComparison.Ordinal);

    /// <summary>The providers of a host; none when it is not this silo's. The empty name stands for what any silo can reach.</summary>
    public ImmutableArray<IComputeProvider> Of(string host) => IsAtHome(host) ? [.. providers.Where(provider => HostOf(provider).Equals(host, StringComparison.Ordinal))] : [];

    /// <summary>The provider of a sandbox, which stands in for it when the sandbox is on another host; null when the gateway has none of this name.</summary>
    public IComputeProvider? Of(string sandboxId, string name) => IsAtHome(Ids.HostOfSandbox(sandboxId))
        ? providers.FirstOrDefault(provider => provider.Name.Equals(name, StringComparison.Ordinal))
        : new AbsentHost(name);

    private string HostOf(IComputeProvider provider) => provider.IsOnHost ? hosts.Own : "";
}
