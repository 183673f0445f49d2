using Cerver.Errors;
using Cerver.Silo;
using Microsoft.Extensions.DependencyInjection;

namespace Cerver.Tests.Silo;

/// <summary>What was left is erased beside whatever the gateway does.</summary>
public sealed class LeftoverErasureTests : IAsyncLifetime
{
    private readonly GrainCluster _cluster = new();

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_start_does_not_wait_for_it_and_a_stop_cuts_it_short()
    {
        _cluster.Provider.Aside.Add("sbx_left");
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster.Provider.Erasing = async cancellationToken =>
        {
            begun.SetResult();
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        };
        using var erasure = ActivatorUtilities.CreateInstance<LeftoverErasure>(_cluster.Services);

        await erasure.StartAsync(CancellationToken.None);
        await begun.Task;
        await erasure.StopAsync(CancellationToken.None);

        Assert.True(erasure.ExecuteTask!.IsCompletedSuccessfully);
        Assert.Equal(["sbx_left"], _cluster.Provider.Aside);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_does_not_end_the_gateway(bool fails)
    {
        _cluster.Provider.Aside.Add("sbx_left");
        _cluster.Provider.Erasing = fails ? static _ => throw new CerverException(CerverError.ProviderUnavailable, "Not now.") : null;
        using var erasure = ActivatorUtilities.CreateInstance<LeftoverErasure>(_cluster.Services);

        await erasure.StartAsync(CancellationToken.None);
        await erasure.ExecuteTask!;

        Assert.Equal(fails, _cluster.Provider.Removed.IsEmpty);
    }
}
