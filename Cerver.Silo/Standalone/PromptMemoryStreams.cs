using Cerver.Runs;
using Orleans.Configuration;
using Orleans.Providers;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace Cerver.Silo.Standalone;

/// <summary>
/// Memory streams that are read when something is written, instead of a hundred times a second: an idle gateway is quiet, and live output does
/// not wait for the next look. Writer and reader must be in one process.
/// </summary>
/// <param name="inner">The memory streams.</param>
internal sealed class PromptMemoryStreams(MemoryAdapterFactory<DefaultMemoryMessageBodySerializer> inner) : IQueueAdapterFactory, IQueueAdapter, IDisposable
{
    /// <summary>How long the reader waits for a word before it looks all the same.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // One queue, so one reader: a single word is enough for whatever was written until it looks.
    private readonly SemaphoreSlim _written = new(initialCount: 0, maxCount: 1);

    public string Name => inner.Name;

    public bool IsRewindable => inner.IsRewindable;

    public StreamProviderDirection Direction => inner.Direction;

    /// <summary>Registers the stream provider of run output.</summary>
    public static void Add(ISiloBuilder silo) => silo.AddPersistentStreams(
        RunStreams.Provider,
        static (services, name) => new PromptMemoryStreams(MemoryAdapterFactory<DefaultMemoryMessageBodySerializer>.Create(services, name)),
        static streams =>
        {
            streams.Configure<HashRingStreamQueueMapperOptions>(queues => queues.Configure(options => options.TotalQueueCount = 1));
            streams.ConfigurePullingAgent(agent => agent.Configure(options => options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(10)));
        });

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public IQueueAdapterCache GetQueueAdapterCache() => inner.GetQueueAdapterCache();

    public IStreamQueueMapper GetStreamQueueMapper() => inner.GetStreamQueueMapper();

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => inner.GetDeliveryFailureHandler(queueId);

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => new Receiver(inner.CreateReceiver(queueId), _written);

    public async Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
    {
        await inner.QueueMessageBatchAsync(streamId, events, token, requestContext);
        try
        {
            _written.Release();
        }
        catch (SemaphoreFullException)
        {
            // The reader has a word waiting already.
        }
    }

    public void Dispose() => _written.Dispose();

    private sealed class Receiver(IQueueAdapterReceiver inner, SemaphoreSlim written) : IQueueAdapterReceiver
    {
        public Task Initialize(TimeSpan timeout) => inner.Initialize(timeout);

        public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
        {
            try
            {
                await written.WaitAsync(Patience, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The silo stops, which is no failure to read.
                return [];
            }

            return await inner.GetQueueMessagesAsync(maxCount, cancellationToken);
        }

        public Task MessagesDeliveredAsync(IList<IBatchContainer> messages, CancellationToken cancellationToken) =>
            inner.MessagesDeliveredAsync(messages, cancellationToken);

        // Orleans calls the overloads above; these are of an older contract.
        public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) => GetQueueMessagesAsync(maxCount, CancellationToken.None);

        public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => MessagesDeliveredAsync(messages, CancellationToken.None);

        public Task Shutdown(TimeSpan timeout) => inner.Shutdown(timeout);
    }
}
