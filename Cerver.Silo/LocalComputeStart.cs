using Cerver.Grains.Computes.Local;

namespace Cerver.Silo;

/// <summary>
/// Finds out what this machine's sandboxes can do while the silo starts: a quarter of a second that nobody has to wait for.
/// </summary>
internal sealed class LocalComputeStart(LocalComputeProvider provider) : IHostedService
{
    /// <summary>Completes when it is known. The silo waits for it before it looks for what was left and takes the first request.</summary>
    public Task Probed { get; private set; } = Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Probed = Task.Run(() => provider.ProbeAsync(cancellationToken), cancellationToken);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
