namespace Cerver.Grains.Computes;

/// <summary>The sandbox of one grain while it is up: watched, asked about when it is idle, and taken down.</summary>
/// <param name="grain">The sandbox's grain.</param>
/// <param name="idle">Asks whether it is still needed.</param>
/// <param name="changed">Is told when it is up, or is not any more.</param>
/// <param name="lost">Is told when it went down by itself.</param>
/// <param name="time">The clock.</param>
internal sealed class HeldSandbox(IGrainBase grain, SandboxIdleWatch idle, Action changed, Func<Task> lost, TimeProvider time)
{
    private ISandbox? _closing;
    private long _since;

    /// <summary>The sandbox, or null when it is not up here.</summary>
    public ISandbox? Current { get; private set; }

    /// <summary>Whether it is up here.</summary>
    public bool IsUp => Current is { Closed.IsCompleted: false };

    /// <summary>How long it has been up here, as far as it is.</summary>
    public TimeSpan Age => time.GetElapsedTime(_since);

    /// <summary>How long it may be idle before somebody is asked, at most 30 days.</summary>
    public TimeSpan IdleTimeout { get; set; }

    /// <summary>Holds a sandbox that is up.</summary>
    public TSandbox Hold<TSandbox>(TSandbox sandbox)
        where TSandbox : ISandbox
    {
        Current = sandbox;
        _since = time.GetTimestamp();
        _ = WatchAsync(sandbox);
        changed();
        idle.Begin(grain, IdleTimeout);
        return sandbox;
    }

    /// <summary>Lets it go as it is, and hears no more of it.</summary>
    public ISandbox? Release()
    {
        var held = Current;
        Current = null;
        return held;
    }

    /// <summary>Takes it down. What happens in it until it is down still comes to it.</summary>
    public async Task CloseAsync()
    {
        if (Current is { } sandbox)
        {
            _closing = sandbox;
            idle.Stop();
            try
            {
                await sandbox.DisposeAsync();
            }
            finally
            {
                if (Current == sandbox)
                {
                    Current = null;
                }

                changed();
            }
        }
    }

    private async Task WatchAsync(ISandbox sandbox)
    {
        await sandbox.Closed;
        if (Current == sandbox && _closing != sandbox)
        {
            await CloseAsync();
            await lost();
        }
    }
}
