using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;
using Cerver.Sessions;
using Orleans.Streams;

namespace Cerver.Grains.Sessions;

/// <inheritdoc cref="IAgentFeedGrain"/>
[GrainType("agent-feed")]
internal sealed class AgentFeedGrain(ISessionStore sessions, TaintRegistry taints, TimeProvider time) : Grain, IAgentFeedGrain
{
    /// <summary>How long it is believed which machine a session is on.</summary>
    private static readonly TimeSpan Belief = TimeSpan.FromSeconds(10);

    private string? _computeId;
    private long _lookedAt;
    private bool _hasLooked;

    /// <inheritdoc/>
    public async Task PublishAsync(string computeId, ImmutableArray<string> events, CancellationToken cancellationToken)
    {
        var (accountId, sessionId) = SessionKey.Parse(this.GetPrimaryKeyString());
        if (!_hasLooked || time.GetElapsedTime(_lookedAt) > Belief)
        {
            var record = await sessions.FindAsync(accountId, sessionId, cancellationToken);
            _computeId = record is { Status: not SessionStatus.Ended } ? record.ComputeId : null;
            (_hasLooked, _lookedAt) = (true, time.GetTimestamp());
        }

        if (!computeId.Equals(_computeId, StringComparison.Ordinal))
        {
            return;
        }

        var matcher = (await taints.OfAsync(accountId)).Matcher;
        await this.GetStreamProvider(RunStreams.Provider)
            .GetStream<AgentEvents>(AgentStreams.For(sessionId))
            .OnNextAsync(new AgentEvents(sessionId, [.. events.Select(told => JsonRedactor.Redact(matcher, told)!)]));
    }
}
