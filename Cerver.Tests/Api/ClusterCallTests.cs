using System.Net;
using System.Security.Cryptography;
using System.Text;
using Cerver.Errors;
using Cerver.Runs;
using Cerver.Sessions;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Cerver.Tests.Api;

/// <summary>What callers of a front door see when silos die behind it: a slow answer.</summary>
public sealed class ClusterCallTests : IAsyncLifetime
{
    private const string Entry = """{"entries":[{"role":"user","content":"hi"}]}""";

    private ApiHost _api = null!;

    public async Task InitializeAsync() => _api = await ApiHost.StartInClusterAsync(TimeProvider.System);

    public async Task DisposeAsync() => await _api.DisposeAsync();

    [Theory]
    [InlineData("POST", "/v2/sessions", """{"session_type":"transcript"}""")]
    [InlineData("PATCH", "/v2/sessions/{id}", """{"session_name":"other"}""")]
    [InlineData("POST", "/v2/sessions/{id}/transcript", Entry)]
    [InlineData("POST", "/v2/sessions/{id}/input", """{"content":"hi"}""")]
    [InlineData("POST", "/v2/sessions/{id}/resume", "{}")]
    [InlineData("POST", "/v2/sessions/{id}/pause", null)]
    [InlineData("POST", "/v2/sessions/{id}/compute", """{"compute":"local"}""")]
    [InlineData("POST", "/v2/sessions/{id}/change-compute", """{"compute_priority":["local"]}""")]
    [InlineData("DELETE", "/v2/sessions/{id}", null)]
    public async Task A_write_that_is_not_delivered_and_then_not_answered_is_done_once_and_says_nothing_of_it(string method, string path, string? body)
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");
        var before = _api.Cluster.Results.Count;
        _api.Cluster.LostAnswers.Enqueue(new SiloUnavailableException("The silo died."));
        _api.Cluster.Failures.Enqueue(new ConnectionFailedException("The other one is not up yet."));

        using var answer = await _api.SendAsync(new HttpMethod(method), path.Replace("{id}", id, StringComparison.Ordinal), body);

        Assert.True(answer.Response.IsSuccessStatusCode, answer.Text);
        Assert.False(answer.Response.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(before + 1, _api.Cluster.Results.Count);
        Assert.All(_api.Cluster.Operations.Values, static operation => Assert.True(operation.IsOwn));
        Assert.Empty(_api.Cluster.LostAnswers);
    }

    [Fact]
    public async Task An_append_whose_answer_is_lost_is_there_once()
    {
        var id = await _api.CreateSessionAsync();
        _api.Cluster.LostAnswers.Enqueue(new TimeoutException("No answer."));

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/transcript", Entry);

        Assert.Equal((201, 1), (answer.Status, _api.Cluster.Session(SessionKey.For("alice", id)).Entries.Count));
    }

    [Fact]
    public async Task A_callers_own_key_is_still_told_what_is_told_again()
    {
        var id = await _api.CreateSessionAsync();
        _api.Cluster.LostAnswers.Enqueue(new TimeoutException("No answer."));

        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{id}/transcript") { Content = new StringContent(Entry, Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", "mine");
        using var response = await _api.Alice.SendAsync(request);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("true", response.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.False(_api.Cluster.Operations[Convert.ToHexStringLower(SHA256.HashData("mine"u8))].IsOwn);
    }

    [Fact]
    public async Task A_run_whose_start_is_not_answered_starts_once()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");
        var session = _api.Cluster.Session(SessionKey.For("alice", id));
        _api.Cluster.Compute.Waited = runId => Close(session, runId, RunStatus.Exited);
        _api.Cluster.LostAnswers.Enqueue(new TimeoutException("No answer."));

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/run", """{"code":"true"}""");

        Assert.Equal(200, answer.Status);
        Assert.Single(session.Runs);
    }

    [Fact]
    public async Task A_transcript_of_many_pages_is_whole_though_a_silo_dies_under_each()
    {
        var id = await _api.CreateSessionAsync();
        for (var i = 0; i < 5; i++)
        {
            using var appended = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/transcript", Entry);
        }

        _api.Cluster.Recall.PageSize = 1;
        _api.Cluster.Recall.Failing = EverySecond(static () => new SiloUnavailableException("The silo died."));
        using var read = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}");
        using var export = await _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}/export?format=jsonl");

        Assert.Equal(5, read.Json.GetProperty("transcript").GetArrayLength());
        Assert.Equal(6, export.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_stream_of_a_session_is_whole_though_every_second_call_fails()
    {
        var id = await _api.CreateSessionAsync();
        for (var i = 0; i < 3; i++)
        {
            using var appended = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/transcript", Entry);
        }

        _api.Cluster.Recall.PageSize = 1;
        _api.Cluster.Recall.Failing = EverySecond(static () => new TimeoutException("No answer."));
        var watching = _api.SendAsync(HttpMethod.Get, $"/v2/sessions/{id}/stream");
        using var ended = await _api.SendAsync(HttpMethod.Delete, $"/v2/sessions/{id}");
        using var stream = await watching;

        Assert.Equal(["status", "entry", "entry", "entry", "status"], EventsOf(stream));
    }

    [Fact]
    public async Task A_stream_of_an_account_goes_on_though_every_second_call_fails()
    {
        _ = await _api.CreateSessionAsync();
        _ = await _api.CreateSessionAsync();
        _api.Cluster.Recall.Failing = EverySecond(static () => new SiloUnavailableException("The silo died."));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/sessions/stream?after=0");
        using var response = await _api.Alice.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var events = new List<string>();
        while (events.Count < 3)
        {
            if (await reader.ReadLineAsync() is { } line && line.StartsWith("event: ", StringComparison.Ordinal))
            {
                events.Add(line["event: ".Length..]);
            }
        }

        Assert.Equal(["ready", "session", "session"], events);
    }

    [Fact]
    public async Task A_run_that_did_not_start_because_its_machine_was_leaving_is_another_when_it_is_tried_again()
    {
        var id = await _api.CreateSessionAsync("""{"compute":"local"}""");
        var session = _api.Cluster.Session(SessionKey.For("alice", id));
        _api.Cluster.Compute.Waited = runId => Close(session, runId, RunStatus.Exited);
        _api.Cluster.Failures.Enqueue(new TimeoutException("No answer."));
        _api.Cluster.Failures.Enqueue(new CerverException(CerverError.HostUnavailable, "The machine is leaving."));

        using var answer = await _api.SendAsync(HttpMethod.Post, $"/v2/sessions/{id}/run", """{"code":"true"}""");

        Assert.Equal(200, answer.Status);
        Assert.Equal(session.AskedRuns[0], session.AskedRuns[1]);
        Assert.NotEqual(session.AskedRuns[1], session.AskedRuns[2]);
        Assert.Equal(session.AskedRuns[2], Assert.Single(session.Runs).Key);
    }

    private static RunHead Close(FakeSession session, string runId, RunStatus status)
    {
        session.Runs[runId] = session.Runs[runId] with { Status = status, ExitCode = status == RunStatus.Exited ? 0 : null, EndedAt = Examples.Noon };
        return new RunHead(0, Closed: true);
    }

    private static Func<Exception?> EverySecond(Func<Exception> fail)
    {
        var calls = 0;
        return () => Interlocked.Increment(ref calls) % 2 == 1 ? fail() : null;
    }

    private static IEnumerable<string> EventsOf(Answer stream) =>
        stream.Text.Split('\n').Where(static line => line.StartsWith("event: ", StringComparison.Ordinal)).Select(static line => line["event: ".Length..]);
}
