using Cerver.Api.Hosting;

namespace Cerver.Silo.Clustered;

/// <summary>
/// Bounds how long a silo waits for a front door that it tells of output. One that died would be waited for half a minute, and a silo does not stop before all it
/// told has been heard. What is not heard is told again or read from the rows.
/// </summary>
internal sealed class DeliveryLimit(TimeProvider time) : IOutgoingGrainCallFilter
{
    /// <inheritdoc/>
    /// <exception cref="TimeoutException">The front door did not answer.</exception>
    public Task Invoke(IOutgoingGrainCallContext context) =>
        context.TargetId.IsClient() ? context.Invoke().WaitAsync(ClusterClient.ResponseTimeout, time) : context.Invoke();
}
