using System.Collections.Concurrent;
using Cerver.Errors;
using Cerver.Grains.Storage.Postgres;
using Cerver.Sessions;
using Cerver.Tests.Storage;
using Orleans.Runtime;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Clustered;

/// <summary>
/// Two activations of one session that do not know of each other, as in a network that fell apart: two clusters over one database.
/// </summary>
public sealed class SplitBrainTests
{
    private const int WritersPerCluster = 2;
    private const int Appends = 25;

    [Fact]
    public async Task Of_two_activations_that_write_one_is_fenced_and_nothing_acknowledged_is_lost_or_doubled()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        await using var here = await SiloCluster.StartAsync(database, silos: 1);
        await using var there = await SiloCluster.StartAsync(database, silos: 1);
        var (account, sessionId) = (NewAccount(), Ids.NewSession(TimeProvider.System));
        await here.Session(account, sessionId).CreateAsync(Request(Cerver.Computes.ComputeChoice.None));
        var acknowledged = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        var fenced = 0;

        await Task.WhenAll(new[] { (here, "here"), (there, "there") }.SelectMany(
            side => Enumerable.Range(0, WritersPerCluster).Select(writer => WriteAsync(side.Item1.Session(account, sessionId), $"{side.Item2}-{writer}"))));

        var entries = new List<TranscriptEntry>();
        var recall = here.Client.GetGrain<IRecallGrain>(0);
        while (await recall.ReadSessionAsync(account, sessionId, new(Since: entries.Count)) is { Entries: { IsEmpty: false } more })
        {
            entries.AddRange(more);
        }

        Assert.True(fenced > 0);
        Assert.Equal(2 * WritersPerCluster * Appends, acknowledged.Count);
        Assert.Equal(acknowledged.Count, entries.Count);
        Assert.All(acknowledged, append => Assert.Equal(append.Key, entries[(int)append.Value - 1].Content));
        Assert.Empty(await PostgresCheck.FindViolationsAsync(database.Source, CancellationToken.None));

        async Task WriteAsync(ISessionGrain session, string writer)
        {
            for (var number = 0; number < Appends; number++)
            {
                var content = $"{writer}-{number}";
                while (!acknowledged.ContainsKey(content))
                {
                    try
                    {
                        acknowledged[content] = (await session.AppendAsync(new([Text(content)]))).Value;
                    }
                    catch (CerverException refusal) when (refusal.Code == CerverError.Fenced)
                    {
                        Interlocked.Increment(ref fenced);
                    }
                    catch (OrleansMessageRejectionException)
                    {
                        // It came to an activation that was about to go, more often than Orleans passes it on: it was not carried out.
                    }
                }
            }
        }
    }
}
