using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Api.Streams;
using Cerver.Computes;
using Cerver.Runs;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Cerver.Api.Runs;

/// <summary>Runs as the cluster knows them.</summary>
internal sealed partial class ClusterRunSource(IClusterClient cluster, GrainCalls calls, ILogger<ClusterRunSource> logger) : IRunSource
{
    public Task<RunRecord> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) => calls.ReadAsync(
        (Recall: Caller.Recall(cluster), accountId, sessionId, runId),
        static (call, token) => call.Recall.GetRunAsync(call.accountId, call.sessionId, call.runId, token),
        cancellationToken);

    public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, RunRecord run, long after, CancellationToken cancellationToken) => calls.ReadAsync(
        (Recall: Caller.Recall(cluster), accountId, run.RunId, after),
        static (call, token) => call.Recall.ReadOutputAsync(call.accountId, call.RunId, call.after, token),
        cancellationToken);

    public Task<RunHead> WaitAsync(string accountId, RunRecord run, TimeSpan atMost, CancellationToken cancellationToken) => calls.ReadAsync(
        (Sandbox: cluster.GetGrain<IComputeGrain>(SandboxKey.For(accountId, run.SandboxId)), run.RunId, atMost),
        static (call, token) => call.Sandbox.WaitAsync(call.RunId, call.atMost, token),
        cancellationToken);

    public async Task<IAsyncDisposable?> SubscribeAsync(RunRecord run, Func<RunOutput, Task> receive)
    {
        var stream = cluster.GetStreamProvider(RunStreams.Provider).GetStream<RunOutput>(RunStreams.For(run.RunId));
        try
        {
            return new StreamSubscription<RunOutput>(await stream.SubscribeAsync((output, _) => receive(output)), run.RunId, logger);
        }
#pragma warning disable CA1031 // Whatever it was, in a silo or in the store of subscriptions: the rows have everything that the stream would have brought.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogSubscribeFailed(failure, run.RunId);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} is followed by its rows alone: its stream could not be subscribed to")]
    private partial void LogSubscribeFailed(Exception failure, string runId);
}
