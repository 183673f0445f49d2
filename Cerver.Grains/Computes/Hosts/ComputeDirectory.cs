using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes.Hosts;

/// <summary>The computes of the whole cluster.</summary>
internal sealed partial class ComputeDirectory(ISandboxHosts hosts, IGrainFactory grains, ILogger<ComputeDirectory> logger)
{
    /// <summary>Every compute as it is now. What several hosts have is one compute, which can do what each of those that are ready can do.</summary>
    public async Task<ImmutableArray<ComputeInfo>> ListAsync(CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll(hosts.Active.Prepend("").Select(host => AskAsync(host, cancellationToken)));
        return [.. found.SelectMany(computes => computes).GroupBy(compute => compute.ComputeId, StringComparer.Ordinal).Select(Merge)];
    }

    private static ComputeInfo Merge(IEnumerable<ComputeInfo> same)
    {
        var ready = same.Where(compute => compute.Status == ComputeStatus.Ready).ToList();
        return ready.Count == 0
            ? same.First() with { Hosts = [] }
            : ready[0] with
            {
                Runtimes = [.. ready[0].Runtimes.Where(runtime => ready.TrueForAll(compute => compute.Runtimes.Contains(runtime)))],
                Network = ready.TrueForAll(compute => compute.Network),
                Capabilities = ready.Select(compute => compute.Capabilities ?? ComputeCapabilities.Unknown).Aggregate(ComputeCapabilities.Common),
                Hosts = [.. ready.SelectMany(compute => compute.Hosts)],
            };
    }

    /// <summary>A host that does not answer has nothing to offer now.</summary>
    private async Task<IEnumerable<ComputeInfo>> AskAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            var computes = await grains.GetGrain<IComputeHostGrain>(ComputeHostKey.For(host)).DescribeAsync(cancellationToken);
            return computes.Select(compute => compute with { Hosts = [host] });
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            LogSilent(failure, host);
            return [];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host {Host} does not say what it can do")]
    private partial void LogSilent(Exception failure, string host);
}
