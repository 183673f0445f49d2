using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>The compute side of a session: what it is given to run on. Every method takes a record and gives the one to be committed.</summary>
internal sealed class SessionComputes(IGrainFactory grains, TimeProvider time)
{
    /// <summary>The grain of the record's sandbox.</summary>
    public IComputeGrain Sandbox(SessionRecord record) => grains.GetGrain<IComputeGrain>(SandboxKey.For(record.AccountId, record.SandboxId!));

    /// <summary>Gives the record the compute that a caller wants, with a new sandbox that is not up yet.</summary>
    public async Task<SessionRecord> ChooseAsync(SessionRecord record, ComputeChoice choice, ImmutableArray<string> allowedProviders)
    {
        var requirements = ComputeRequirements.Parse(record.Requirements);
        var computes = await grains.GetGrain<IAccountGrain>(AccountKey.For(record.AccountId)).ListComputesAsync();
        var chosen = ComputeSelection.Choose(choice, requirements, record.Requirements, allowedProviders, computes);
        return record with { Provider = chosen.Provider, ComputeId = chosen.ComputeId, SandboxId = Ids.NewSandbox(time) };
    }

    /// <summary>Brings the record's sandbox up.</summary>
    public async Task<SessionRecord> AttachAsync(SessionRecord record, CancellationToken cancellationToken)
    {
        var status = SessionTransitions.Next(record.Status, SessionTrigger.Attach);
        var began = time.GetTimestamp();
        await Sandbox(record).AttachAsync(
            new AttachSandbox(record.SessionId, record.Provider, ComputeRequirements.Parse(record.Requirements)), cancellationToken);
        return record with
        {
            Status = status,
            Metrics = record.Metrics with { ProvisionTimeMs = (long)time.GetElapsedTime(began).TotalMilliseconds },
        };
    }

    /// <summary>Takes the compute away from the record. The sandbox itself is not touched.</summary>
    public static SessionRecord Detach(SessionRecord record) => record with
    {
        Provider = ComputeSelection.NoProvider,
        ComputeId = null,
        SandboxId = null,
        Status = SessionTransitions.Next(record.Status, SessionTrigger.Pause),
    };
}
