using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Api.Hosting;
using Cerver.Bench.Gateways;
using Cerver.Tests.Http;

namespace Cerver.Tests.Clustered;

/// <summary>Silos and front doors as processes: how they come up and stop, and what one does without the other.</summary>
public sealed class ClusterLifeTests
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
        using var client = ClientOf(cluster, frontDoor.Endpoint);

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

    [Fact]
    public async Task A_silo_stops_in_time_though_it_was_telling_a_front_door_that_died()
    {
        await using var cluster = await StartAsync(new(Silos: 1, FrontDoors: 1));
        var (silo, frontDoor) = (cluster.Silos[0], cluster.FrontDoors[0]);
        using var client = ClientOf(cluster, frontDoor.Endpoint);
        using var created = await client.PostAsync("/v2/sessions", content: null);
        var id = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString();
        using var frames = await FrameReader.PostAsync(client, $"/v2/sessions/{id}/run/stream", new { code = "for i in $(seq 300); do sleep 0.01; echo told; done" });
        for (var heard = 0; heard < 100; heard++)
        {
            await frames.NextAsync();
        }

        await frontDoor.KillAsync(CancellationToken.None);
        var stop = await silo.StopAsync(CancellationToken.None);

        Assert.True(stop.ExitCode == 0 && stop.Took < HostFrame.StopLimit, $"It took {stop.Took} and ended with {stop.ExitCode}. {silo.LastWords}");
    }

    private static HttpClient ClientOf(ClusterProcesses cluster, IPEndPoint frontDoor)
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://{frontDoor}"), Timeout = Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.Token);
        return client;
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
