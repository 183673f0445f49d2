using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Grains.Computes.Relays;

/// <summary>A sandbox of a relay that is not ours, with the agent in it. It is up until it is removed or its relay does not know it any more.</summary>
/// <param name="machine">The way to the machine.</param>
/// <param name="remoteId">The relay's own name for it.</param>
/// <param name="time">Measures patience.</param>
internal sealed class AgentSandbox(MachineCalls machine, string remoteId, TimeProvider time) : ISandbox
{
    /// <summary>Below the 180 s after which a relay gives up on a request.</summary>
    private static readonly TimeSpan MaxRunTime = TimeSpan.FromSeconds(170);

    /// <summary>How much longer than its run the answer may take.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(8);

    /// <summary>Below the time that whoever sends an input waits.</summary>
    private static readonly TimeSpan TellPatience = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<AgentRun, bool> _runs = [];

    /// <summary>The relay's own name for it.</summary>
    public string RemoteId => remoteId;

    /// <inheritdoc/>
    public Task Closed => _closed.Task;

    /// <inheritdoc/>
    public Task RequireReachableAsync(CancellationToken cancellationToken) => machine.RequireReachableAsync(cancellationToken);

    /// <summary>Has the relay execute code. It answers when that is over, so what is printed comes at once and at the end.</summary>
    /// <inheritdoc cref="ISandbox.StartAsync" path="/exception"/>
    public async Task<ISandboxProcess> StartAsync(SandboxCommand command, CancellationToken cancellationToken)
    {
        if (command.Timeout > MaxRunTime)
        {
            throw new CerverException(
                CerverError.InvalidRequest,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'timeout' must be at most {MaxRunTime.TotalSeconds:0} s on this machine: its relay answers when a run is over, and gives up after 180 s. Send longer work as input, or run cerver-relay there."),
                "timeout");
        }

        if (command.Runtime != SandboxRuntime.Shell)
        {
            throw new CerverException(
                CerverError.NoCompute, "The relay of this machine executes nothing but shell code, and would take other code for that. Send code for a shell, or run cerver-relay there.", "runtime");
        }

        await RequireReachableAsync(cancellationToken);
        if (_closed.Task.IsCompleted)
        {
            throw new SandboxDownException();
        }

        var run = new AgentRun(time);
        _runs[run] = true;
        var request = new RelayCode(command.Code, command.Timeout.TotalSeconds, command.Environment);
        _ = ExecuteAsync(run, Post(RelayPaths.Run(Uri.EscapeDataString(remoteId)), JsonSerializer.Serialize(request, RelayJson.Default.RelayCode), command.Timeout + AnswerPatience));
        return run;
    }

    /// <summary>Tells the agent what its user says.</summary>
    /// <returns>What its relay has against it, a sentence, or null when it was taken.</returns>
    /// <exception cref="SandboxDownException">The relay does not know the agent any more.</exception>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/>, <see cref="CerverError.ProviderUnavailable"/>.</exception>
    public async Task<string?> TellAsync(AgentInput input, CancellationToken cancellationToken)
    {
        var request = Post(AgentPaths.Input(remoteId), JsonSerializer.Serialize(input, AgentJson.Default.AgentInput), TellPatience);
        return RelayAnswers.FindRefusal(RequireKnown(await machine.RequestAsync(request, cancellationToken)));
    }

    /// <summary>Has the relay remove it, and all that runs in it. One that it does not know is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/>, <see cref="CerverError.ProviderUnavailable"/>.</exception>
    public Task RemoveAsync(CancellationToken cancellationToken) => machine.RemoveAsync(RelayPaths.Sandbox(Uri.EscapeDataString(remoteId)), cancellationToken);

    /// <summary>What is under way ends without an answer; the agent goes on.</summary>
    /// <inheritdoc cref="ISandbox.Detach" path="/returns"/>
    public bool Detach()
    {
        EndRuns();
        return true;
    }

    /// <summary>What is under way ends without an answer, and nobody uses it any more. Its relay is told to remove it by whoever knows that it goes down.</summary>
    public ValueTask DisposeAsync()
    {
        EndRuns();
        _closed.TrySetResult();
        return ValueTask.CompletedTask;
    }

    private static MachineRequest Post(string path, string body, TimeSpan patience) => new("POST", path, ImmutableDictionary<string, string>.Empty, body, patience);

    private async Task ExecuteAsync(AgentRun run, MachineRequest request)
    {
        AgentResult? result = null;
        try
        {
            var answer = RelayAnswers.Require(RequireKnown(await machine.RequestAsync(request, CancellationToken.None)), refusals: []);
            result = RelayAnswers.Read(answer, AgentJson.Default.AgentResult);
        }
        catch (Exception failure) when (failure is CerverException or SandboxDownException or OrleansException or TimeoutException)
        {
            // How it ended nobody will know, which is what a run says that has no result.
        }
        finally
        {
            _runs.TryRemove(run, out _);
            run.End(result);
        }
    }

    private MachineAnswer RequireKnown(MachineAnswer answer)
    {
        if (answer.Status == 404)
        {
            _closed.TrySetResult();
            throw new SandboxDownException();
        }

        return answer;
    }

    private void EndRuns()
    {
        foreach (var run in _runs.Keys)
        {
            run.End(result: null);
        }
    }
}
