using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Hosts;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Sessions;

/// <summary>The compute side of a session: what it is given to run on. Every method takes a record and gives the one to be committed.</summary>
internal sealed partial class SessionComputes(
    IGrainFactory grains, ISandboxHosts hosts, IOptions<SandboxLifetimeOptions> lifetime, TimeProvider time, ILogger<SessionComputes> logger)
{
    /// <summary>The grain of the record's sandbox.</summary>
    public IComputeGrain Sandbox(SessionRecord record) => grains.GetGrain<IComputeGrain>(SandboxKey.For(record.AccountId, record.SandboxId!));

    /// <summary>Gives the record the compute that a caller wants, with a new sandbox that is not up yet.</summary>
    public async Task<SessionRecord> ChooseAsync(SessionRecord record, ComputeChoice choice, ImmutableArray<string> allowedProviders)
    {
        var requirements = ComputeRequirements.Parse(record.Requirements);
        var computes = await grains.GetGrain<IAccountGrain>(AccountKey.For(record.AccountId)).ListComputesAsync();
        var chosen = ComputeSelection.Choose(choice, requirements, record.Requirements, allowedProviders, computes);
        var host = chosen.Hosts[Random.Shared.Next(chosen.Hosts.Length)];
        return record with { Provider = chosen.Provider, ComputeId = chosen.ComputeId, SandboxId = Ids.NewSandbox(time, host) };
    }

    /// <summary>What is to execute a run: what it names, else what the session is for.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NoCompute"/> when the session's compute does not have it.</exception>
    public async Task<SandboxRuntime> RuntimeAsync(SessionRecord record, SandboxRuntime? named)
    {
        var usual = ComputeRequirements.Parse(record.Requirements).Runtime;
        if (named is null || named == usual)
        {
            return usual;
        }

        var computes = await grains.GetGrain<IAccountGrain>(AccountKey.For(record.AccountId)).ListComputesAsync();
        return computes.Any(compute => compute.ComputeId == record.ComputeId && compute.Runtimes.Contains(named.Value))
            ? named.Value
            : throw new CerverException(
                CerverError.NoCompute,
                $"The session's compute does not have the runtime '{named.Value.ToString().ToLowerInvariant()}'. GET /v2/computes lists what it has.",
                "runtime");
    }

    /// <summary>
    /// Releases a sandbox that no record names any more. A failure is told to the operator only: for the caller everything is done, and the files
    /// are in nobody's way.
    /// </summary>
    public Task ReleaseAsync(SessionRecord record) => record.SandboxId is null ? Task.CompletedTask : ReleaseAsync(record.AccountId, record.SandboxId);

    /// <inheritdoc cref="ReleaseAsync(SessionRecord)"/>
    public async Task ReleaseAsync(string accountId, string sandboxId)
    {
        try
        {
            await grains.GetGrain<IComputeGrain>(SandboxKey.For(accountId, sandboxId)).ReleaseAsync(CancellationToken.None);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            LogReleaseFailed(failure, sandboxId);
        }
    }

    /// <summary>How long the record's sandbox stays up if nothing happens any more; zero when it is time to take it down.</summary>
    public TimeSpan IdleTimeLeft(SessionRecord record, int going) => SessionIdleness.Left(record, going, lifetime.Value.IdleTimeout, time.GetUtcNow());

    /// <summary>Brings the record's sandbox up, if it is not.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.HostUnavailable"/> when the machine that has it is away.</exception>
    public async Task<SessionRecord> AttachAsync(SessionRecord record, CancellationToken cancellationToken)
    {
        // The sandbox's grain would say so too. Whoever waits for a machine asks again and again, and this costs next to nothing.
        if (!hosts.IsThere(Ids.HostOfSandbox(record.SandboxId!)))
        {
            throw AbsentHost.Refusal();
        }

        var status = SessionTransitions.Next(record.Status, SessionTrigger.Attach);
        var began = time.GetTimestamp();
        await Sandbox(record).AttachAsync(
            new AttachSandbox(
                record.SessionId,
                record.Provider,
                ComputeRequirements.Parse(record.Requirements),
                IsOnMachine(record) ? record.ComputeId : null,
                IsOnMachine(record) ? AgentMetadata.Of(record) : null),
            cancellationToken);
        return record.Status == status ? record : record with
        {
            Status = status,
            Metrics = record.Metrics with { ProvisionTimeMs = (long)time.GetElapsedTime(began).TotalMilliseconds },
        };
    }

    /// <summary>Tells the session's agent what its user says, when a machine drives one for it.</summary>
    /// <inheritdoc cref="IComputeGrain.TellAgentAsync" path="/returns"/>
    /// <exception cref="CerverException">The agent may not have heard it.</exception>
    public Task<string?> TellAgentAsync(SessionRecord record, string text, CancellationToken cancellationToken) =>
        Sandbox(record).TellAgentAsync(AgentMetadata.Input(record, text), cancellationToken);

    /// <summary>Whether the record's compute is a machine of the account.</summary>
    public static bool IsOnMachine(SessionRecord record) => record.Provider == MachineKey.Provider;

    /// <summary>Whether a caller names the compute that the record has.</summary>
    public static bool IsCurrent(SessionRecord record, ComputeChoice choice) =>
        choice.Kind == ComputeChoiceKind.Any || choice.Name == record.ComputeId || choice.Name == record.Provider;

    /// <summary>Takes the compute away from the record. The sandbox itself is not touched.</summary>
    public static SessionRecord Detach(SessionRecord record) => record with
    {
        Provider = ComputeSelection.NoProvider,
        ComputeId = null,
        SandboxId = null,
        Status = SessionTransitions.Next(record.Status, SessionTrigger.Pause),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Sandbox {SandboxId} could not be released; its files may be left")]
    private partial void LogReleaseFailed(Exception failure, string sandboxId);
}
