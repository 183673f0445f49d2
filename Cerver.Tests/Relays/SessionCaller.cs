using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Tests.Http;

namespace Cerver.Tests.Relays;

/// <summary>What a caller of one front door asks of sessions.</summary>
internal sealed class SessionCaller : IDisposable
{
    private readonly HttpClient _client;

    /// <summary>Calls a front door.</summary>
    public SessionCaller(Uri frontDoor, string token)
    {
        _client = new HttpClient { BaseAddress = frontDoor };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Waits until a machine is ready, or not any more.</summary>
    public Task ReadyAsync(LentMachine machine, bool isReady = true) => RelayProcess.ReadyAsync(_client, isReady, machine.ComputeId);

    /// <summary>Makes a session on a machine.</summary>
    public async Task<string> CreateAsync(LentMachine machine) =>
        (await TakeAsync(_client.PostAsJsonAsync("/v2/sessions", new { compute = machine.ComputeId }))).GetProperty("session_id").GetString()!;

    /// <summary>Whether the account has a machine, ready or not.</summary>
    public async Task<bool> HasAsync(LentMachine machine)
    {
        using var response = await _client.GetAsync(new Uri($"/v2/computes/{machine.ComputeId}", UriKind.Relative));
        Assert.Contains(response.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.NotFound });
        return response.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>Runs code and waits until it is over.</summary>
    public async Task<(string? Stdout, string? Stderr, int? ExitCode)> RunAsync(string session, string code, params (string Name, string Value)[] variables)
    {
        var envs = variables.ToDictionary(static variable => variable.Name, static variable => variable.Value, StringComparer.Ordinal);
        var result = (await TakeAsync(_client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code, envs }))).GetProperty("result");
        return (result.GetProperty("stdout").GetString(), result.GetProperty("stderr").GetString(), ExitCodeOf(result));
    }

    /// <summary>Asks for a run, whatever comes of that.</summary>
    public async Task<(HttpStatusCode Status, string Code, string Sentence)> TryRunAsync(string session, string code)
    {
        using var response = await _client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code });
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        return response.IsSuccessStatusCode
            ? (response.StatusCode, "", answer.ToString())
            : (response.StatusCode, answer.GetProperty("code").GetString()!, answer.GetProperty("error").GetString()!);
    }

    /// <summary>Says something to a session.</summary>
    public async Task<(HttpStatusCode Status, int? TranscriptTotal)> InputAsync(string session, string content, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/input") { Content = JsonContent.Create(new { content, role = "user" }) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using var response = await _client.SendAsync(request);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        return (response.StatusCode, response.IsSuccessStatusCode ? answer.GetProperty("transcriptTotal").GetInt32() : null);
    }

    /// <summary>Begins a run and watches it.</summary>
    public async Task<WatchedRun> StartAsync(string session, string code, int timeout = 120) =>
        new(session, await FrameReader.PostAsync(_client, $"/v2/sessions/{session}/run/stream", new { code, timeout }));

    /// <summary>Watches a run from its beginning, or after an event.</summary>
    public async Task<WatchedRun> WatchAsync(string session, string runId, string? after = null) =>
        new(session, await FrameReader.GetAsync(_client, $"/v2/sessions/{session}/runs/{runId}/stream{(after is null ? "" : $"?after={after}")}"));

    /// <summary>How a run stands.</summary>
    public async Task<(string? Status, int? ExitCode)> RecordAsync(WatchedRun run)
    {
        var record = await _client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{run.Session}/runs/{run.Id}");
        return (record.GetProperty("status").GetString(), ExitCodeOf(record));
    }

    /// <summary>Cancels a run.</summary>
    public Task CancelAsync(WatchedRun run) => DeleteAsync($"/v2/sessions/{run.Session}/runs/{run.Id}");

    /// <summary>Deletes something.</summary>
    public Task DeleteAsync(string path) => TakeAsync(_client.DeleteAsync(new Uri(path, UriKind.Relative)));

    /// <summary>Makes a call without a body.</summary>
    public Task PostAsync(string path) => TakeAsync(_client.PostAsync(new Uri(path, UriKind.Relative), content: null));

    public void Dispose() => _client.Dispose();

    private static async Task<JsonElement> TakeAsync(Task<HttpResponseMessage> call)
    {
        using var response = await call;
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static int? ExitCodeOf(JsonElement run) => run.GetProperty("exit_code") is { ValueKind: JsonValueKind.Number } code ? code.GetInt32() : null;
}
