using Cerver.Runs;
using Orleans.Configuration;
using Orleans.Providers;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace Cerver.Silo;

/// <summary>
/// Memory streams that are read when something is written, instead of a hundred times a second: an idle gateway is quiet, and live output
/// does not wait for the next look. Writer and reader may be in different silos.
/// </summary>
/// <param name="inner">The memory streams.</param>
/// <param name="grains">Where the bells are.</param>
internal sealed class PromptMemoryStreams(MemoryAdapterFactory<DefaultMemoryMessageBodySerializer> inner, IGrainFactory grains) : IQueueAdapterFactory, IQueueAdapter
{
    /// <summary>How long the reader waits for a word before it looks all the same. Words are not lost while the bell is there; each look is two calls.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public string Name => inner.Name;

    public bool IsRewindable => inner.IsRewindable;

    public StreamProviderDirection Direction => inner.Direction;

    /// <summary>Registers the stream provider of run output.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="queues">How many queues there are, which the silos share among them. The same in every silo.</param>
    public static void Add(ISiloBuilder silo, int queues) => silo.AddPersistentStreams(
        RunStreams.Provider,
        static (services, name) => new PromptMemoryStreams(
            MemoryAdapterFactory<DefaultMemoryMessageBodySerializer>.Create(services, name), services.GetRequiredService<IGrainFactory>()),
        streams =>
        {
            streams.Configure<HashRingStreamQueueMapperOptions>(mapper => mapper.Configure(options => options.TotalQueueCount = queues));
            streams.ConfigurePullingAgent(agent => agent.Configure(options => options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(10)));
        });

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public IQueueAdapterCache GetQueueAdapterCache() => inner.GetQueueAdapterCache();

    public IStreamQueueMapper GetStreamQueueMapper() => inner.GetStreamQueueMapper();

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => inner.GetDeliveryFailureHandler(queueId);

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => new Receiver(inner.CreateReceiver(queueId), Bell(queueId));

    public async Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
    {
        await inner.QueueMessageBatchAsync(streamId, events, token, requestContext);
        await Bell(inner.GetStreamQueueMapper().GetQueueForStream(streamId)).RingAsync();
    }

    private IQueueBellGrain Bell(QueueId queueId) => grains.GetGrain<IQueueBellGrain>(queueId.GetNumericId());

    private sealed class Receiver(IQueueAdapterReceiver inner, IQueueBellGrain bell) : IQueueAdapterReceiver
    {
        private long _known;
        private bool _hasMore;

        public Task Initialize(TimeSpan timeout) => inner.Initialize(timeout);

        public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
        {
            try
            {
                _known = await bell.WaitAsync(_known, _hasMore ? TimeSpan.Zero : Patience, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // What that means is below.
            }
            catch (Exception failure) when (failure is OrleansException or TimeoutException)
            {
                // The bell is lost with its silo and will be another one soon; until then the queue is looked into as often as it would be
                // without.
                _known = 0;
            }

            if (cancellationToken.IsCancellationRequested)
            {
                // The silo stops, which is no failure to read, however the wait ended.
                return [];
            }

            // There may be more than fits at once, of which nobody says a second word.
            var messages = await inner.GetQueueMessagesAsync(maxCount, cancellationToken);
            _hasMore = messages.Count > 0;
            return messages;
        }

        public Task MessagesDeliveredAsync(IList<IBatchContainer> messages, CancellationToken cancellationToken) =>
            inner.MessagesDeliveredAsync(messages, cancellationToken);

        // Orleans calls the overloads above; these are of an older contract.
        public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) => GetQueueMessagesAsync(maxCount, CancellationToken.None);

        public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => MessagesDeliveredAsync(messages, CancellationToken.None);

        public Task Shutdown(TimeSpan timeout) => inner.Shutdown(timeout);
    }
}
