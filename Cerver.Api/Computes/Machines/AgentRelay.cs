using Cerver.Api.Streams;
using Cerver.Errors;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Cerver.Api.Computes.Machines;

/// <summary>Passes on what the agents of one machine tell, in order. It is a live copy: what cannot be passed on in time is dropped, the oldest first.</summary>
/// <param name="accountId">The account.</param>
/// <param name="computeId">The machine.</param>
/// <param name="cluster">The way to the sessions' feeds.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class AgentRelay(string accountId, string computeId, IClusterClient cluster, ILogger logger)
{
    private const int MaxQueuedCharacters = 1024 * 1024;
    private const int MaxAtOnce = 32;
    private const int MaxCharactersAtOnce = 128 * 1024;

    private readonly DroppingQueue<(string SessionId, string Told)> _queue = new(static what => what.SessionId.Length + what.Told.Length, MaxQueuedCharacters);

    /// <summary>Takes what an agent tells.</summary>
    public void Add(string sessionId, string told) => _queue.Add((sessionId, told));

    /// <summary>Passes on until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var some = new List<(string SessionId, string Told)>(MaxAtOnce);
        while (await _queue.WaitAsync(cancellationToken))
        {
            for (var characters = 0; some.Count < MaxAtOnce && characters < MaxCharactersAtOnce && _queue.TryTake(out var next); characters += next.Told.Length)
            {
                some.Add(next);
            }

            foreach (var session in some.GroupBy(static told => told.SessionId, static told => told.Told, StringComparer.Ordinal))
            {
                await PublishAsync(session.Key, [.. session], cancellationToken);
            }

            some.Clear();
        }
    }

    private async Task PublishAsync(string sessionId, ImmutableArray<string> events, CancellationToken cancellationToken)
    {
        try
        {
            await cluster.GetGrain<IAgentFeedGrain>(SessionKey.For(accountId, sessionId)).PublishAsync(computeId, events, cancellationToken);
        }
        catch (Exception failure) when (failure is CerverException or OrleansException or TimeoutException)
        {
            LogDropped(failure, computeId, sessionId);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "What the agent of machine {ComputeId} told of session {SessionId} could not be passed on and was dropped")]
    private partial void LogDropped(Exception failure, string computeId, string sessionId);
}
