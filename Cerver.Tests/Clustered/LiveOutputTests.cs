using System.Text;
using System.Threading.Channels;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Tests.Storage;
using Orleans.Streams;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Clustered;

/// <summary>Output of runs, live, when sandbox, queue, subscriptions and watcher are wherever Orleans puts them.</summary>
public sealed class LiveOutputTests
{
    [Fact]
    public async Task A_subscription_of_a_client_outlives_the_grain_that_keeps_it_whichever_silo_prints()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        await using var cluster = await SiloCluster.StartAsync(database, silos: 3);
        var (account, sessionId) = (NewAccount(), Ids.NewSession(TimeProvider.System));
        var session = cluster.Session(account, sessionId);
        var sandboxId = (await session.CreateAsync(Request())).Value.SandboxId!;
        var run = Ids.NewRun(TimeProvider.System);
        var received = Channel.CreateUnbounded<string>();
        var stream = cluster.Client.GetStreamProvider(RunStreams.Provider).GetStream<RunOutput>(RunStreams.For(run));
        await stream.SubscribeAsync((output, _) =>
        {
            foreach (var chunk in output.Chunks)
            {
                received.Writer.TryWrite(Encoding.UTF8.GetString(chunk.Data));
            }

            return Task.CompletedTask;
        });
        await session.StartRunAsync(Run("prints", run));
        var process = await cluster.Provider(Ids.HostOfSandbox(sandboxId)).Sandbox(sandboxId).NextAsync();
        process.Print("before");
        var first = await received.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        await cluster.DeactivateAsync(GrainId.Create("pubsubrendezvous", $"{RunStreams.Provider}/{RunStreams.For(run)}"));
        process.Print("after");
        var second = await received.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        process.End(exitCode: 0);

        Assert.Equal(("before", "after"), (first, second));
        var subscriptions = await stream.GetAllSubscriptionHandles();
        Assert.Single(subscriptions);
    }
}
