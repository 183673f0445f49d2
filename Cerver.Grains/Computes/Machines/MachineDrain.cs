namespace Cerver.Grains.Computes.Machines;

/// <summary>
/// Knows when this silo stops. A grain is not handed over before its calls have ended, and those to machines take up to three minutes, so what is under way then
/// is given up.
/// </summary>
internal sealed class MachineDrain : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Is cancelled before the first grain is handed over.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(MachineDrain), ServiceLifecycleStage.Last, static _ => Task.CompletedTask, _ => _stopping.CancelAsync());

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();
}
