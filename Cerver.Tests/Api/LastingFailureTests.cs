using Cerver.Errors;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime.Messaging;

namespace Cerver.Tests.Api;

/// <summary>What callers of a front door see when nothing comes back behind it.</summary>
public sealed class LastingFailureTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(Examples.Noon);
    private ApiHost _api = null!;

    public async Task InitializeAsync() => _api = await ApiHost.StartInClusterAsync(_time);

    public async Task DisposeAsync() => await _api.DisposeAsync();

    [Fact]
    public async Task A_front_door_without_silos_is_not_ready_at_once_and_refuses_reads_and_writes_in_the_end()
    {
        var id = await _api.CreateSessionAsync();
        _api.Cluster.Recall.Obstacle = new ConnectionFailedException("No gateway.");
        Enumerable.Range(0, 1_000).ToList().ForEach(_ => _api.Cluster.Failures.Enqueue(new ConnectionFailedException("No gateway.")));

        using var ready = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, "/readyz");
        using var read = await AnswerAsync(_api.SendAsync(HttpMethod.Get, "/v2/sessions"));
        using var write = await AnswerAsync(_api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/pause"));

        Assert.Equal((503, "The silo cannot be reached.", 1), (ready.Status, ready.Json.GetProperty("reason").GetString(), _api.Cluster.Recall.Pings));
        Assert.Equal((503, "unavailable", "1"), (read.Status, read.Code, read.Response.Headers.RetryAfter?.ToString()));
        Assert.Equal((503, "unavailable", "1"), (write.Status, write.Code, write.Response.Headers.RetryAfter?.ToString()));
    }

    [Fact]
    public async Task A_session_whose_machine_is_away_is_refused_as_offline_when_the_machine_does_not_come_back()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");
        Enumerable.Range(0, 1_000).ToList().ForEach(_ => _api.Cluster.Failures.Enqueue(new CerverException(CerverError.HostUnavailable, "The machine is away.")));

        using var answer = await AnswerAsync(_api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/pause"));

        Assert.Equal((503, "compute_offline", "1"), (answer.Status, answer.Code, answer.Response.Headers.RetryAfter?.ToString()));
    }

    /// <summary>Lets time pass until there is an answer.</summary>
    private async Task<T> AnswerAsync<T>(Task<T> sent)
    {
        while (!sent.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        return await sent;
    }
}
