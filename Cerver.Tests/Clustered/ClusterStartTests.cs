using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Cerver.Bench.Gateways;

namespace Cerver.Tests.Clustered;

/// <summary>Silos and front doors as processes: how they come up, and what a front door does without a silo.</summary>
public sealed class ClusterStartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<string> _ended = [];

    [Fact]
    public async Task Eight_processes_that_start_at_once_on_an_empty_database_all_come_up()
    {
        await using var cluster = await StartAsync(new(Silos: 6, FrontDoors: 2));

        Assert.Empty(_ended);
    }

    [Fact]
    public async Task A_front_door_is_not_ready_while_there_is_no_silo_and_answers_what_waits_when_one_is_back()
    {
        await using var cluster = await StartAsync(new(Silos: 1, FrontDoors: 1));
        var (silo, frontDoor) = (cluster.Silos[0], cluster.FrontDoors[0]);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{frontDoor.Endpoint}"), Timeout = Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.Token);

        await silo.KillAsync(CancellationToken.None);
        await EventuallyAsync(async () => !await Readiness.AskAsync(frontDoor.Endpoint, CancellationToken.None));
        using var alive = await client.GetAsync("/livez");
        await silo.StartAgainAsync();
        var created = client.PostAsync("/v2/sessions", content: null);
        await EventuallyAsync(() => Readiness.AskAsync(frontDoor.Endpoint, CancellationToken.None));

        using var answer = await created;
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.True(answer.IsSuccessStatusCode, $"It was answered {(int)answer.StatusCode}.");
        Assert.Empty(_ended);
    }

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        var began = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, "It took longer than a minute.");
            await poll.WaitForNextTickAsync();
        }
    }

    private Task<ClusterProcesses> StartAsync(ClusterSize size) => ClusterProcesses.StartAsync(
        size,
        Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll"),
        Repository.Find(),
        logs: null,
        (member, exitCode) => _ended.Enqueue($"{member.Name} ended with exit code {exitCode}. {member.LastWords}"),
        CancellationToken.None);
}
