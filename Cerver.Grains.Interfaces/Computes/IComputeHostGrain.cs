using System.Collections.Immutable;

namespace Cerver.Computes;

/// <summary>What the providers of one host can do and have to clean up. A host is a silo with sandboxes that only it can reach.</summary>
/// <remarks>
/// Keyed by <see cref="ComputeHostKey"/>. Of a host that is not in the cluster there are no computes, and nothing is cleaned up.
/// </remarks>
[Alias("cerver.compute-host"), GrainInterfaceType("cerver.compute-host")]
public interface IComputeHostGrain : IGrainWithStringKey
{
    /// <summary>The computes of the host as they are now.</summary>
    [Alias("describe"), Orleans.Concurrency.ReadOnly]
    Task<ImmutableArray<ComputeInfo>> DescribeAsync(CancellationToken cancellationToken = default);

    /// <summary>Removes what sandboxes left that no session has. May be repeated at any time.</summary>
    [Alias("sweep"), ResponseTimeout("00:10:00")]
    Task SweepAsync(CancellationToken cancellationToken = default);
}

/// <summary>The grain key of a host.</summary>
public static class ComputeHostKey
{
    private const string Prefix = "host:";

    /// <summary>The key of one host; an empty name stands for what any silo can reach.</summary>
    public static string For(string host) => $"{Prefix}{host}";

    /// <summary>The host that a key names.</summary>
    public static string Parse(string key) => key[Prefix.Length..];
}
