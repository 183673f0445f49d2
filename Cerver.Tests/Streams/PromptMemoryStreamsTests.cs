using System.Reflection;
using Cerver.Runs;
using Cerver.Silo;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Providers;
using Orleans.Streams;

namespace Cerver.Tests.Streams;

/// <summary>The reader of live output, when its silo stops.</summary>
public sealed class PromptMemoryStreamsTests(GrainCluster cluster) : IClassFixture<GrainCluster>
{
    [Theory]
    [InlineData(null)]
    [InlineData(typeof(OrleansException))]
    [InlineData(typeof(TimeoutException))]
    [InlineData(typeof(OperationCanceledException))]
    public async Task A_silo_that_stops_while_its_reader_waits_reads_nothing_and_does_not_fail(Type? failure)
    {
        var bell = DispatchProxy.Create<IQueueBellGrain, Bell>();
        ((Bell)(object)bell).Waited = failure is null ? Task.FromResult(1L) : Task.FromException<long>((Exception)Activator.CreateInstance(failure)!);
        var grains = DispatchProxy.Create<IGrainFactory, Bells>();
        ((Bells)(object)grains).Bell = bell;
        var streams = new PromptMemoryStreams(MemoryAdapterFactory<DefaultMemoryMessageBodySerializer>.Create(cluster.Services, RunStreams.Provider), grains);
        var receiver = streams.CreateReceiver(streams.GetStreamQueueMapper().GetAllQueues().First());

        Assert.Empty(await receiver.GetQueueMessagesAsync(10, new CancellationToken(canceled: true)));
    }

#pragma warning disable CA1852 // The proxies derive from them.
    internal class Bell : DispatchProxy
    {
        public Task<long> Waited { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Waited;
    }

    internal class Bells : DispatchProxy
    {
        public IQueueBellGrain Bell { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Bell;
    }
#pragma warning restore CA1852
}
