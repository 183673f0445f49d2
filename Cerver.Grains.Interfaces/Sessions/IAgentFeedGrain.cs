using System.Collections.Immutable;

namespace Cerver.Sessions;

/// <summary>
/// What an agent that a machine drives for a session tells while it works: a live copy for whoever watches. Nothing of it is kept, and some of it may get lost; what
/// lasts the machine's relay adds to the transcript.
/// </summary>
/// <remarks>Keyed by <see cref="SessionKey"/>. The stream <see cref="AgentStreams.For"/> carries what is told.</remarks>
[Alias("cerver.agent-feed"), GrainInterfaceType("cerver.agent-feed")]
public interface IAgentFeedGrain : IGrainWithStringKey
{
    /// <summary>Passes on what the agent tells. That of another machine than the session's is dropped.</summary>
    /// <param name="computeId">The machine that says so.</param>
    /// <param name="events">JSON objects of at most 64 KiB each, in order.</param>
    /// <param name="cancellationToken">Gives up.</param>
    [Alias("publish")]
    Task PublishAsync(string computeId, ImmutableArray<string> events, CancellationToken cancellationToken = default);
}

/// <summary>What the Orleans stream of an agent carries.</summary>
/// <param name="SessionId">The session; a stream carries several.</param>
/// <param name="Events">JSON objects, in order.</param>
[GenerateSerializer, Immutable, Alias("cerver.agent.events")]
public sealed record AgentEvents(
    [property: Id(0)] string SessionId,
    [property: Id(1)] ImmutableArray<string> Events);

/// <summary>The names of the Orleans streams that carry what agents tell.</summary>
public static class AgentStreams
{
    /// <summary>The stream that carries a session's agent. There are 256, as of runs and for the same reason.</summary>
    public static StreamId For(string sessionId) => StreamId.Create("agent", sessionId[^2..]);
}
