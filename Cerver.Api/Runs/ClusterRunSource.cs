using Cerver.Api.Accounts;
using Cerver.Computes;
using Cerver.Runs;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Cerver.Api.Runs;

/// <summary>Runs as the cluster knows them.</summary>
internal sealed partial class ClusterRunSource(IClusterClient cluster, ILogger<ClusterRunSource> logger) : IRunSource
{
    public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, RunRecord run, long after, CancellationToken cancellationToken) =>
        Caller.Recall(cluster).ReadOutputAsync(accountId, run.RunId, after, cancellationToken);

    public Task<RunHead> WaitAsync(string accountId, RunRecord run, TimeSpan atMost, CancellationToken cancellationToken) =>
        cluster.GetGrain<IComputeGrain>(SandboxKey.For(accountId, run.SandboxId)).WaitAsync(run.RunId, atMost, cancellationToken);

    public async Task<IAsyncDisposable> SubscribeAsync(RunRecord run, Func<RunOutput, Task> receive)
    {
        var stream = cluster.GetStreamProvider(RunStreams.Provider).GetStream<RunOutput>(RunStreams.For(run.RunId));
        return new Subscription(await stream.SubscribeAsync((output, _) => receive(output)), run.RunId, logger);
    }

    private sealed partial class Subscription(StreamSubscriptionHandle<RunOutput> handle, string runId, ILogger logger) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                await handle.UnsubscribeAsync();
            }
            catch (Exception failure) when (failure is OrleansException or TimeoutException)
            {
                LogUnsubscribeFailed(failure, runId);
            }
        }

        [LoggerMessage(Level = LogLevel.Warning, Message = "The subscription to run {RunId} was left behind")]
        private partial void LogUnsubscribeFailed(Exception failure, string runId);
    }
}
