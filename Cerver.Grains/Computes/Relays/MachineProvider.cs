using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>Sandboxes on one machine of an account, on which our own relay runs. They outlive this process, and so do the runs in them.</summary>
/// <param name="machine">The way to the machine.</param>
/// <param name="time">Measures patience.</param>
internal sealed class MachineProvider(MachineCalls machine, TimeProvider time) : IComputeProvider
{
    /// <inheritdoc/>
    public string Name => MachineKey.Provider;

    /// <summary>The way to the files, on a machine that gives access to them; each call finds out.</summary>
    public ISandboxFiles Files => new MachineFiles(machine);

    /// <inheritdoc/>
    public ComputeInfo Describe() => throw new NotSupportedException("What a machine can do its own grain says.");

    /// <summary>Brings a sandbox up, or finds that it is up.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/> when the machine cannot be reached, or <see cref="CerverError.ProviderUnavailable"/>.</exception>
    public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        var answer = await machine.PostAsync(RelayPaths.Sandboxes, new OpenRelaySandbox(spec.SandboxId, spec.Network), RelayJson.Default.OpenRelaySandbox, cancellationToken);
        return Attach(spec, RelayAnswers.Read(answer, RelayJson.Default.RelaySandbox).Generation);
    }

    /// <summary>A sandbox that is up, whoever brought it up.</summary>
    /// <param name="spec">What it is.</param>
    /// <param name="generation">Which opening of it, or 0 when that is not known.</param>
    public MachineSandbox Attach(SandboxSpec spec, long generation = 0) => new(machine, spec, generation, time);

    /// <inheritdoc/>
    public async Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken)
    {
        var list = RelayAnswers.Read(await machine.GetAsync(RelayPaths.Sandboxes, cancellationToken), RelayJson.Default.RelaySandboxes);
        return [.. list.Sandboxes.Where(static sandbox => sandbox.Status == RelayWords.ClosedStatus).Select(static sandbox => sandbox.SandboxId)];
    }

    /// <summary>Removes the files: a machine erases them by itself.</summary>
    /// <inheritdoc cref="IComputeProvider.SetAsideAsync" path="/exception"/>
    public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => RemoveAsync(sandboxId, cancellationToken);

    /// <inheritdoc/>
    public Task EraseAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends what runs in a sandbox, also what another process of the gateway began, and removes its files.</summary>
    /// <inheritdoc cref="IComputeProvider.RemoveAsync" path="/exception"/>
    public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken) => machine.RemoveAsync(RelayPaths.Sandbox(sandboxId), cancellationToken);
}
