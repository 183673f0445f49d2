namespace Cerver.Grains.Computes.Hosts;

/// <summary>Lets the runs of a silo that is about to leave its cluster come to their end, and lets none begin.</summary>
internal sealed class SandboxDrain
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isClosed;
    private bool _isLeaving;
    private int _going;

    /// <summary>Makes sure that a sandbox may be brought up here.</summary>
    /// <exception cref="Errors.CerverException"><see cref="Errors.CerverError.HostUnavailable"/> when the silo is about to leave.</exception>
    public void RequireStaying()
    {
        lock (_gate)
        {
            Refuse(_isClosed);
        }
    }

    /// <summary>Lets no sandbox be brought up any more. What was brought up for a run that is about to begin may still get it.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }
    }

    /// <summary>A run begins. It counts before its process is there: whoever leaves refuses it or waits for it.</summary>
    /// <inheritdoc cref="RequireStaying" path="/exception"/>
    public void Begin()
    {
        lock (_gate)
        {
            Refuse(_isLeaving);
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
            _isClosed = true;
            _isLeaving = true;
            CompleteWhenQuiet();
        }

        return _quiet.Task;
    }

    private static void Refuse(bool isTooLate)
    {
        if (isTooLate)
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
