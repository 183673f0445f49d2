using System.Security.Cryptography;
using System.Text;

namespace Cerver.Grains.Computes.Hosts;

/// <summary>Which silos of the cluster have sandboxes that only they can reach.</summary>
/// <remarks>
/// A host is named by what stays the same when its silo is started again with the same files: 8 hexadecimal digits made from the silo's name. A sandbox's id
/// ends with its host, so whoever has the id knows where the sandbox is. A gateway that is one silo has no named host.
/// </remarks>
internal interface ISandboxHosts
{
    /// <summary>The host of this silo; empty when the silo is all there is.</summary>
    string Own { get; }

    /// <summary>The hosts whose silos are members of the cluster now.</summary>
    ImmutableArray<string> Active { get; }

    /// <summary>The silo of a host, or null when it is not in the cluster now.</summary>
    SiloAddress? Find(string host);

    /// <summary>Whether sandboxes with this host in their id can be reached now. Those without any always can.</summary>
    bool IsThere(string host) => host.Length == 0 || Find(host) is not null;
}

/// <summary>The one silo of a gateway that is no cluster.</summary>
internal sealed class SingleHost : ISandboxHosts
{
    /// <inheritdoc/>
    public string Own => "";

    /// <inheritdoc/>
    public ImmutableArray<string> Active => [];

    /// <inheritdoc/>
    public SiloAddress? Find(string host) => null;
}

/// <summary>The silos of a cluster, each a host named after it.</summary>
internal sealed class ClusterHosts(IClusterMembershipService membership, ILocalSiloDetails silo) : ISandboxHosts
{
    /// <inheritdoc/>
    public string Own { get; } = NameOf(silo.Name);

    /// <inheritdoc/>
    public ImmutableArray<string> Active => [.. ActiveMembers().Select(member => NameOf(member.Name)).Distinct(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public SiloAddress? Find(string host) => ActiveMembers().Where(member => NameOf(member.Name).Equals(host, StringComparison.Ordinal))
        .Select(member => member.SiloAddress)
        .MaxBy(address => address.Generation);

    /// <summary>The host of a silo, by the silo's name.</summary>
    public static string NameOf(string siloName) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(siloName)).AsSpan(0, Ids.HostLength / 2));

    private IEnumerable<ClusterMember> ActiveMembers() => membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active);
}
