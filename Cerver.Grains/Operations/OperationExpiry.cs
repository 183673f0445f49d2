using Cerver.Grains.Upkeep;

namespace Cerver.Grains.Operations;

/// <summary>Forgets operations whose keys stand for nothing any more.</summary>
internal sealed class OperationExpiry(IOperationStore operations) : IUpkeep
{
    /// <inheritdoc/>
    public Task RunAsync(CancellationToken cancellationToken) => operations.RemoveOldAsync(cancellationToken);
}
