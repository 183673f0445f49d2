using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// Starts containers from one thread that lives as long as the provider. The kernel ends a container that asked to die with its
/// parent when the thread that started it ends, and threads of the pool come and go.
/// </summary>
internal sealed class SandboxSpawner : IDisposable
{
    private readonly BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process> Started)> _requests = [];

    public SandboxSpawner()
    {
        var thread = new Thread(Serve) { IsBackground = true, Name = "sandbox spawner" };
        thread.Start();
    }

    /// <summary>Starts a process.</summary>
    /// <exception cref="Win32Exception">It could not be started.</exception>
    /// <exception cref="InvalidOperationException">The provider is closed.</exception>
    public Task<Process> StartAsync(ProcessStartInfo start)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        _requests.Add((start, started));
        return started.Task;
    }

    /// <summary>Ends the thread, and with it every container that is still up.</summary>
    public void Dispose() => _requests.CompleteAdding();

    private void Serve()
    {
        foreach (var (start, started) in _requests.GetConsumingEnumerable())
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Win32Exception e)
            {
                started.SetException(e);
            }
        }

        _requests.Dispose();
    }
}
