using System.Collections.Concurrent;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>A sandbox on a machine, as the gateway sees it. What happens in it is delivered here, in order, as often as the line makes it necessary.</summary>
/// <param name="machine">The way to the machine.</param>
/// <param name="spec">What it is.</param>
/// <param name="generation">Which opening of it, or 0 when that is not known.</param>
/// <param name="time">Measures patience.</param>
internal sealed class MachineSandbox(MachineCalls machine, SandboxSpec spec, long generation, TimeProvider time) : ISandbox
{
    private readonly ConcurrentDictionary<string, MachineSandboxProcess> _processes = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public Task Closed => _closed.Task;

    /// <inheritdoc/>
    public Task RequireReachableAsync(CancellationToken cancellationToken) => machine.RequireReachableAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<ISandboxProcess> StartAsync(SandboxCommand command, CancellationToken cancellationToken)
    {
        if (_closed.Task.IsCompleted)
        {
            throw new SandboxDownException();
        }

        var runId = command.RunId.Length > 0 ? command.RunId : Ids.NewRun(time);

        // What it prints may come before the answer.
        var process = Follow(runId);
        try
        {
            await machine.StartAsync(
                RelayPaths.Runs(spec.SandboxId),
                new StartRelayRun(
                    runId,
                    spec.SessionId,
                    command.Runtime.ToString().ToLowerInvariant(),
                    command.Code,
                    command.Environment,
                    command.MaxOutputBytes,
                    (long)command.Timeout.TotalMilliseconds),
                RelayJson.Default.StartRelayRun,
                cancellationToken);
            return process;
        }
        catch (SandboxDownException)
        {
            Lose();
            throw;
        }
        catch
        {
            // It may have started all the same. Then the machine hears, with the first thing that it says of it, that nobody wants it.
            Abandon(runId);
            process.End(exitCode: null);
            throw;
        }
    }

    /// <summary>Follows a run, from its beginning: of one that goes on the machine sends everything again.</summary>
    public MachineSandboxProcess Follow(string runId) => _processes.GetOrAdd(
        runId,
        static (runId, sandbox) => new MachineSandboxProcess(sandbox.machine, sandbox.spec.SandboxId, runId, () => sandbox.abandon(runId), sandbox.time),
        (machine, spec, time, abandon: (Action<string>)Abandon));

    /// <summary>Whether a run is followed.</summary>
    public bool Follows(string runId) => _processes.ContainsKey(runId);

    /// <summary>Takes something that happened in a run that is followed.</summary>
    /// <returns>The number of the last that was taken.</returns>
    public Task<long> TakeAsync(SandboxEvent what) => _processes.TryGetValue(what.RunId!, out var process) ? process.TakeAsync(what) : Task.FromResult(0L);

    /// <summary>An opening of the sandbox is over. That is no news of the one before this.</summary>
    /// <param name="over">Which, or 0 for whichever.</param>
    public void Lose(long over)
    {
        if (over == generation || over == 0 || generation == 0)
        {
            Lose();
        }
    }

    /// <summary>The sandbox is down on its machine.</summary>
    private void Lose()
    {
        foreach (var process in _processes.Values)
        {
            process.End(exitCode: null);
        }

        _closed.TrySetResult();
    }

    /// <inheritdoc/>
    public bool Detach()
    {
        foreach (var process in _processes.Values)
        {
            process.Detach();
        }

        return true;
    }

    /// <summary>Ends every process in it and keeps its files. A machine that cannot be reached hears it when it dials in again.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_closed.Task.IsCompleted)
            {
                await machine.PostAsync(RelayPaths.Close(spec.SandboxId), new StopRelayRun(0), RelayJson.Default.StopRelayRun, CancellationToken.None);
            }
        }
        catch (CerverException unreachable) when (unreachable.Code is CerverError.ComputeOffline or CerverError.ProviderUnavailable or CerverError.NotFound)
        {
            // Its processes are told to end as soon as it says something of them.
        }
        finally
        {
            Lose();
        }
    }

    private void Abandon(string runId) => _processes.TryRemove(runId, out _);
}
