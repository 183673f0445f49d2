using Cerver.Grains.Computes;
using Cerver.Grains.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Cerver.Tests.Storage;

/// <summary>The log of the file in which Orleans keeps its state.</summary>
[Collection(nameof(GrainCluster))]
public sealed class GrainStateLogTests(GrainCluster cluster)
{
    /// <summary>SQLite moves the log at 4 MiB, between two writes.</summary>
    private const long Limit = 6 * 1024 * 1024;

    [Fact]
    public async Task It_does_not_grow_with_the_number_of_writes()
    {
        var storage = cluster.Services.GetRequiredKeyedService<IGrainStorage>(ComputeGrain.StorageName);
        var log = new FileInfo(Path.Combine(
            Path.GetDirectoryName(cluster.Services.GetRequiredService<SqliteDatabase>().Path)!, "orleans.db-wal"));

        for (var i = 0; i < 2000; i++)
        {
            var state = new GrainState<string>(new string('x', 4000));
            await storage.WriteStateAsync("written", GrainId.Create("written", $"state-{i}"), state);
        }

        log.Refresh();
        Assert.InRange(log.Length, 1, Limit);
    }
}
