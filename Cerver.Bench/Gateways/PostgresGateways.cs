namespace Cerver.Bench.Gateways;

/// <summary>Gateways over PostgreSQL, each with a server of its own on the disk of the repository.</summary>
internal static class PostgresGateways
{
    /// <summary>Starts a cluster and waits until all of it is ready.</summary>
    /// <param name="bench">What the case works with.</param>
    /// <param name="caseName">The case that starts it.</param>
    /// <param name="size">How large.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">Another gateway was named, or something does not become ready.</exception>
    public static Task<ClusterProcesses> StartAsync(Workbench bench, string caseName, ClusterSize size, CancellationToken cancellationToken) =>
        bench.Options.Target is null
            ? ClusterProcesses.StartAsync(size, bench.Repository.GatewayPath, bench.Repository, logs: null, TellOfEnd, cancellationToken)
            : throw new BenchException($"The case {caseName} starts its own gateways: leave out --url.");

    // The requests that were under way tell the rest, because they fail.
    private static void TellOfEnd(ClusterMember member, int exitCode) =>
        Console.Error.WriteLine($"{member.Name} ended by itself with exit code {exitCode}. {member.LastWords}");
}
