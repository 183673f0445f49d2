using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Cerver.Api.Streams;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Cerver.Api.Sessions.Streams;

/// <summary>Reads what a session's agent tells while it works, for whoever watches in this process.</summary>
internal sealed partial class AgentFeed(IClusterClient cluster, ILogger<AgentFeed> logger)
{
    /// <summary>A watcher that is so far behind misses the oldest. The transcript has what lasts.</summary>
    private const int MaxQueuedEvents = 1_000;

    /// <summary>What the agent tells from now on, until the watcher goes away.</summary>
    public async IAsyncEnumerable<EventFrame> WatchAsync(string sessionId, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var queue = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxQueuedEvents) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
        var stream = cluster.GetStreamProvider(RunStreams.Provider).GetStream<AgentEvents>(AgentStreams.For(sessionId));
        var subscription = await stream.SubscribeAsync((told, _) =>
        {
            foreach (var one in told.SessionId == sessionId ? told.Events : [])
            {
                queue.Writer.TryWrite(one);
            }

            return Task.CompletedTask;
        });
        try
        {
            await foreach (var told in queue.Reader.ReadAllAsync(cancellationToken))
            {
                yield return new AgentFrame(told);
            }
        }
        finally
        {
            await UnsubscribeAsync(subscription, sessionId);
        }
    }

    private async Task UnsubscribeAsync(StreamSubscriptionHandle<AgentEvents> subscription, string sessionId)
    {
        try
        {
            await subscription.UnsubscribeAsync();
        }
#pragma warning disable CA1031 // Nobody listens any more, so whatever was left behind brings its events to nobody.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogUnsubscribeFailed(failure, sessionId);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The subscription to the agent of session {SessionId} was left behind")]
    private partial void LogUnsubscribeFailed(Exception failure, string sessionId);

    /// <summary>Has no id: there is nothing to come back to.</summary>
    private sealed class AgentFrame(string told) : EventFrame(EventStreamResult.NoId)
    {
        public override ReadOnlySpan<byte> Event => "agent"u8;

        public override void WriteData(Utf8JsonWriter writer) => writer.WriteRawValue(told);
    }
}
