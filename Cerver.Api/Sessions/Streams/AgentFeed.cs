using System.Runtime.CompilerServices;
using System.Text.Json;
using Cerver.Api.Streams;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Cerver.Api.Sessions.Streams;

/// <summary>Reads what a session's agent tells while it works, for whoever watches in this process.</summary>
internal sealed class AgentFeed(IClusterClient cluster, SessionFeed sessions, ILogger<AgentFeed> logger)
{
    /// <summary>A watcher that is so far behind misses the oldest. The transcript has what lasts.</summary>
    private const int MaxQueuedCharacters = 1024 * 1024;

    /// <summary>What an event takes beside its text.</summary>
    private const int EventCharacters = 64;

    /// <summary>What the agent tells from now on, until its session has ended or the watcher goes away.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="known">How many events of the session there are.</param>
    /// <param name="cancellationToken">The watcher goes away.</param>
    public async IAsyncEnumerable<EventFrame> WatchAsync(string accountId, string sessionId, long known, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var queue = new DroppingQueue<string>(static told => told.Length + EventCharacters, MaxQueuedCharacters);
        var stream = cluster.GetStreamProvider(RunStreams.Provider).GetStream<AgentEvents>(AgentStreams.For(sessionId));
        await using var subscription = new StreamSubscription<AgentEvents>(await stream.SubscribeAsync(ReceiveAsync), $"the agent of session {sessionId}", logger);
        var ending = EndWithAsync(sessions.WatchAsync(accountId, sessionId, known - 1, over.Token), queue);
        try
        {
            while (await queue.WaitAsync(cancellationToken))
            {
                while (queue.TryTake(out var told))
                {
                    yield return new AgentFrame(told);
                }
            }
        }
        finally
        {
            await over.CancelAsync();
            await ending;
        }

        Task ReceiveAsync(AgentEvents told, StreamSequenceToken? position)
        {
            foreach (var one in told.SessionId == sessionId ? told.Events : [])
            {
                queue.Add(one);
            }

            return Task.CompletedTask;
        }
    }

    private static async Task EndWithAsync(IAsyncEnumerable<EventFrame> session, DroppingQueue<string> queue)
    {
        try
        {
            await foreach (var _ in session)
            {
                // Only the end of it counts.
            }

            queue.Complete();
        }
#pragma warning disable CA1031 // Whatever it is ends the watching, which is where it is told.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            queue.Complete(failure);
        }
    }

    /// <summary>Has no id: there is nothing to come back to.</summary>
    private sealed class AgentFrame(string told) : EventFrame(EventStreamResult.NoId)
    {
        public override ReadOnlySpan<byte> Event => "agent"u8;

        public override void WriteData(Utf8JsonWriter writer) => writer.WriteRawValue(told);
    }
}
