namespace Cerver.Grains.Computes.Hosts;

/// <summary>Lets the runs of a silo that is about to leave its cluster come to their end, and lets none begin.</summary>
internal sealed class SandboxDrain
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isLeaving;
    private int _going;

    /// <summary>Makes sure that a sandbox may be brought up here.</summary>
    /// <exception cref="Errors.CerverException"><see cref="Errors.CerverError.HostUnavailable"/> when the silo is about to leave.</exception>
    public void RequireStaying()
    {
        lock (_gate)
        {
            RefuseWhenLeaving();
        }
    }

    /// <summary>A run begins. It counts before its process is there: whoever leaves refuses it or waits for it.</summary>
    /// <inheritdoc cref="RequireStaying" path="/exception"/>
    public void Begin()
    {
        lock (_gate)
        {
            RefuseWhenLeaving();
            _going++;
        }
    }

    /// <summary>A run that began is over and its session knows, or it did not start.</summary>
    public void Ended()
    {
        lock (_gate)
        {
            _going--;
            CompleteWhenQuiet();
        }
    }

    /// <summary>Lets nothing begin any more. Completes when no run is going.</summary>
    public Task LeaveAsync()
    {
        lock (_gate)
        {
            _isLeaving = true;
            CompleteWhenQuiet();
        }

        return _quiet.Task;
    }

    private void RefuseWhenLeaving()
    {
        if (_isLeaving)
        {
            throw AbsentHost.Refusal();
        }
    }

    private void CompleteWhenQuiet()
    {
        if (_isLeaving && _going == 0)
        {
            _quiet.TrySetResult();
        }
    }
}
