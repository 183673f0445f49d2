using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Computes.Machines;
using Cerver.Grains.Computes.Relays;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes;

/// <summary>Where one sandbox is, and the way there.</summary>
/// <param name="registration">What is stored of it.</param>
/// <param name="providers">The providers of this silo.</param>
/// <param name="grains">The way to machines.</param>
/// <param name="accountId">The account that has it.</param>
/// <param name="sandboxId">The sandbox.</param>
/// <param name="changed">Is told when an opening that may take minutes begins or is over.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed class SandboxSite(
    SandboxRegistration registration, HostProviders providers, IGrainFactory grains, string accountId, string sandboxId, Action changed, TimeProvider time, ILogger logger)
{
    private SandboxAgent? _agent;

    /// <summary>Whether it is where this silo can reach it. Elsewhere an activation only stands in.</summary>
    public bool IsAtHome => providers.IsAtHome(Ids.HostOfSandbox(sandboxId));

    /// <summary>Whether it is on a machine of the account. It outlives any activation then, and what happens in it is delivered.</summary>
    public bool IsOnMachine => registration.State.ComputeId is not null;

    /// <summary>Whether it is on a machine, and up as far as anybody knows.</summary>
    public bool IsUpOnMachine => registration.Exists && IsOnMachine && registration.State.DownSince is null;

    /// <summary>What a machine that drives agents is to know of the session, a JSON object, or null when nobody said it to this activation yet.</summary>
    public string? Metadata { get; set; }

    /// <summary>The agent that a relay which is not ours drives in it.</summary>
    public SandboxAgent Agent => _agent ??= new(registration, () => Agents, sandboxId, changed, time, logger);

    /// <summary>The machine that it is on.</summary>
    public MachineCalls Machine => MachineOf(registration.State.ComputeId!);

    private SandboxSpec Spec => new(sandboxId, registration.State.Network) { SessionId = registration.State.SessionId, Metadata = Metadata };

    /// <summary>Whether a machine's relay is not ours.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/> when the machine is not registered any more.</exception>
    public async Task<bool> DrivesAgentsAsync(string computeId, CancellationToken cancellationToken) =>
        MachineCapabilities.Read((await MachineOf(computeId).DescribeAsync(cancellationToken)).Machine?.Capabilities).Sandboxes is null;

    /// <summary>Brings it up, or finds that it is up.</summary>
    /// <inheritdoc cref="IComputeProvider.OpenAsync" path="/exception"/>
    public Task<ISandbox> OpenAsync(CancellationToken cancellationToken) =>
        registration.State is { IsOfAgents: true, DownSince: null } && Reattach() is { } up ? Task.FromResult(up)
        : registration.State.IsOfAgents ? Agent.OpenAsync(Spec, cancellationToken)
        : Provider.OpenAsync(Spec, cancellationToken);

    /// <summary>It as it is up on its machine, whoever brought it up, without asking the machine; null when that is not possible.</summary>
    public ISandbox? Reattach() => !registration.State.IsOfAgents ? Attach() : registration.State.RemoteId is { } remoteId ? Agents.Attach(remoteId) : null;

    /// <summary>It as it is up under our own relay, whoever brought it up.</summary>
    /// <param name="generation">Which opening of it, or 0 when that is not known.</param>
    public MachineSandbox Attach(long generation = 0) => new MachineProvider(Machine, time).Attach(Spec, generation);

    /// <summary>Who provides it.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when the gateway does not have that provider any more.</exception>
    public IComputeProvider Provider => registration.State.IsOfAgents ? Agents : IsOnMachine ? new MachineProvider(Machine, time) :
        providers.Of(sandboxId, registration.State.Provider)
        ?? throw new CerverException(CerverError.ProviderUnavailable, $"This gateway has no provider '{registration.State.Provider}'.");

    /// <summary>The way to its files.</summary>
    /// <exception cref="CerverException">There is none, and why.</exception>
    public ISandboxFiles Files
    {
        get
        {
            if (!IsAtHome)
            {
                throw AbsentHost.Refusal();
            }

            if (!registration.Exists)
            {
                throw new CerverException(
                    CerverError.Conflict, "The session's files are gone: they were not needed for too long, or its compute was exchanged. POST …/resume brings up an empty workspace.");
            }

            return Provider.Files switch
            {
                { Obstacle: null } files => files,
                { Obstacle: { } obstacle } => throw new CerverException(CerverError.NoCompute, obstacle),
                null => throw new CerverException(CerverError.NoCompute, "The session's compute gives no access to its files from outside. Read and write them in runs."),
            };
        }
    }

    private AgentProvider Agents => new(Machine, registration.State.RemoteId, time);

    private MachineCalls MachineOf(string computeId) => new(grains.GetGrain<IMachineGrain>(MachineKey.For(accountId, computeId)), computeId);
}
