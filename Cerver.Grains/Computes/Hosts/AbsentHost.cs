using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Hosts;

/// <summary>
/// Stands in for a provider whose sandboxes are on a host that is not this silo's. Nothing can be run there before the host is back. Its files are left to
/// it: when it is back it finds that no session has them any more.
/// </summary>
internal sealed class AbsentHost(string name) : IComputeProvider
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public bool IsOnHost => true;

    /// <inheritdoc/>
    public ComputeInfo Describe() => throw new NotSupportedException("Nobody asks what a host can do that is not there.");

    /// <summary>Always refuses.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.HostUnavailable"/>.</exception>
    public Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken) => Task.FromException<ISandbox>(Refusal());

    /// <inheritdoc/>
    public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken) => Task.FromResult(ImmutableArray<string>.Empty);

    /// <inheritdoc/>
    public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task EraseAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What a caller is told who needs the sandbox.</summary>
    public static CerverException Refusal() => new(
        CerverError.HostUnavailable,
        "The machine that has the session's sandbox is not in the cluster now; nothing was changed. Try again in a moment, or give the session other compute with POST …/compute.");
}
