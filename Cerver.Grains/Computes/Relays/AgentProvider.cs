using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>
/// Sandboxes on one machine of an account whose relay is not ours. It drives an agent in each, names them itself, answers a run only when it is over, and reports what
/// the agent does to the API of the gateway.
/// </summary>
/// <param name="machine">The way to the machine.</param>
/// <param name="remoteId">The relay's own name for the sandbox in question, or null when it has none yet.</param>
/// <param name="time">Measures patience.</param>
internal sealed class AgentProvider(MachineCalls machine, string? remoteId, TimeProvider time) : IComputeProvider
{
    private const string Engine = "shell";
    private const int MaxRemoteIdCharacters = 200;

    /// <summary>The gateway takes a sandbox down long before, when its session is idle; this is for a gateway that does not come back.</summary>
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);

    /// <inheritdoc/>
    public string Name => MachineKey.Provider;

    /// <inheritdoc/>
    public ComputeInfo Describe() => throw new NotSupportedException("What a machine can do its own grain says.");

    /// <summary>
    /// Has the relay open a sandbox, and remove the one before, which it may still have: two agents would write into one transcript. It takes as long as a relay takes for a
    /// request at most, because what is opened too late to be heard of nobody could remove.
    /// </summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/> when the machine cannot be reached, or <see cref="CerverError.ProviderUnavailable"/>.</exception>
    public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        await RemoveAsync(spec.SandboxId, cancellationToken);
        using var metadata = JsonDocument.Parse(spec.Metadata ?? "{}");
        var answer = await machine.IntroduceAsync(
            RelayPaths.Sandboxes,
            new OpenAgentSandbox(Engine, (long)MaxLifetime.TotalMilliseconds, metadata.RootElement),
            AgentJson.Default.OpenAgentSandbox,
            cancellationToken);
        return RelayAnswers.Read(answer, AgentJson.Default.AgentSandboxOpened).SandboxId is { Length: > 0 and <= MaxRemoteIdCharacters } opened
            ? Attach(opened)
            : throw RelayAnswers.Unreadable();
    }

    /// <summary>A sandbox that was opened before, by whichever process.</summary>
    public AgentSandbox Attach(string opened) => new(machine, opened, time);

    /// <summary>None: such a relay keeps no files for its gateway.</summary>
    public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<string>>([]);

    /// <inheritdoc cref="RemoveAsync"/>
    public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => RemoveAsync(sandboxId, cancellationToken);

    /// <inheritdoc/>
    public Task EraseAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Has the relay remove the sandbox. One that it does not know is fine.</summary>
    /// <inheritdoc cref="IComputeProvider.RemoveAsync" path="/exception"/>
    public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken) => remoteId is null ? Task.CompletedTask : Attach(remoteId).RemoveAsync(cancellationToken);
}
