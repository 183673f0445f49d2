using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>
/// The opening of a sandbox on a machine whose relay is not ours. It may take minutes, and only its answer has the name of what was opened. So it goes on when nobody waits
/// any more, and whoever comes next waits for the same one.
/// </summary>
/// <param name="time">Measures patience.</param>
internal sealed class AgentOpening(TimeProvider time)
{
    /// <summary>How long one caller waits.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private Task<ISandbox>? _going;

    /// <summary>Begins an opening, or waits for the one that is under way.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> also when it takes too long for this caller.</exception>
    public async Task<ISandbox> JoinAsync(Func<Task<ISandbox>> open, CancellationToken cancellationToken)
    {
        var going = _going ??= open();
        try
        {
            return await going.WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException) when (!going.IsCompleted)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "The machine takes long to open a sandbox, and goes on with it. Try again in a moment.");
        }
        finally
        {
            if (going.IsCompleted && _going == going)
            {
                _going = null;
            }
        }
    }

    /// <summary>Nobody wants it any more: what comes of it is removed.</summary>
    public void GiveUp()
    {
        if (_going is { } going)
        {
            _going = null;
            _ = RemoveAsync(going);
        }
    }

    private static async Task RemoveAsync(Task<ISandbox> opening)
    {
        try
        {
            await ((AgentSandbox)await opening).RemoveAsync(CancellationToken.None);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            // It was not opened, or its machine is gone; its relay ends it in time.
        }
    }
}
