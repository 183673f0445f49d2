using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using static Cerver.Tests.Computes.Machines.MachineGateway;

namespace Cerver.Tests.Computes.Machines;

/// <summary>Sessions on machines whose relay is not ours: it drives an agent in each and reports to the API what the agent does.</summary>
public sealed class AgentMachineTests(MachineGateway gateway) : IClassFixture<MachineGateway>
{
    private const string RemoteId = "local-agent/7";
    private const string RemotePath = "local-agent%2F7";

    [Fact]
    public async Task The_relay_learns_of_the_session_and_how_to_reach_the_gateway_and_no_token_is_kept()
    {
        await using var relay = await ConnectAsync();
        var creating = gateway.Client.PostAsJsonAsync("/v2/sessions", new
        {
            compute = relay.ComputeId,
            session_name = "Mend it",
            task = "Mend the build",
            workload = "coding",
            metadata = new { working_dir = "/src", anthropic_api_key = "for-the-machine-alone" },
        });

        var opening = await NextAsync(relay, "POST", "/api/cerver/provider/sandboxes");
        await relay.AnswerAsync(opening, new { sandbox_id = RemoteId, status = "ready" }, status: 201);
        using var created = await creating;
        var session = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;
        var shown = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{session}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var body = opening.GetProperty("body");
        Assert.Equal("shell", body.GetProperty("engine").GetString());
        Assert.True(body.GetProperty("timeout_ms").GetInt64() > 0);
        var metadata = body.GetProperty("metadata");
        Assert.Equal(
            ("Mend the build", "coding", "Mend it", session, gateway.Address.GetLeftPart(UriPartial.Authority), Token, "/src", "for-the-machine-alone"),
            (Text(metadata, "task"), Text(metadata, "workload"), Text(metadata, "session_name"), Text(metadata, "cerver_session_id"), Text(metadata, "cerver_url"),
                Text(metadata, "cerver_api_token"), Text(metadata, "working_dir"), Text(metadata, "anthropic_api_key")));
        Assert.Contains("/src", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, shown, StringComparison.Ordinal);
        Assert.DoesNotContain("for-the-machine-alone", shown, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(gateway.DataDirectory, "*.db*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain("for-the-machine-alone", Encoding.Latin1.GetString(await ReadSharedAsync(file)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_input_is_in_the_transcript_before_the_agent_hears_it_and_the_relay_reports_the_turn()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        await PatchAsync(session, new { metadata = new { cli_session_id = "cli-1", cli_tool = "claude", working_dir = "/src" } });

        var telling = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/input", new { content = "Go on.", role = "user" });
        var told = await NextAsync(relay, "POST", $"/api/local-claude/agents/{RemotePath}/input");
        var before = await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}");
        await relay.AnswerAsync(told, new { ok = true });
        using var answer = await telling;

        Assert.Equal(
            $$"""{"input":"Go on.","pre_logged":true,"cerver_session_id":"{{session}}","cli_session_id":"cli-1","cli_tool":"claude","working_dir":"/src"}""",
            told.GetProperty("body").GetRawText());
        Assert.Equal(("running", 1), (Text(before, "status"), before.GetProperty("transcriptTotal").GetInt64()));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        await PostAsync($"/v2/sessions/{session}/transcript", new { entries = new object[] { new { role = "assistant", content = "Done." }, new { role = "system", kind = "session_completed", content = """{"type":"session_completed","exit_code":1}""" } } });
        await PostAsync($"/v2/sessions/{session}/status", new { status = "failed", end_reason = "agent paused after exit=1" });
        var after = await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}");
        Assert.Equal(
            ("idle", 3, JsonValueKind.Null, "agent paused after exit=1"),
            (Text(after, "status"), after.GetProperty("transcriptTotal").GetInt64(), after.GetProperty("endReason").ValueKind, Text(after.GetProperty("metrics"), "pause_reason")));

        // The agent is there still, so nothing is opened again.
        telling = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/input", new { content = "And again.", role = "user" });
        await relay.AnswerAsync(await NextAsync(relay, "POST", $"/api/local-claude/agents/{RemotePath}/input"), new { ok = true });
        using var second = await telling;
        Assert.Equal("running", (await second.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_run_is_answered_when_it_is_over()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);

        var running = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "make", timeout = 20, envs = new Dictionary<string, string>(StringComparer.Ordinal) { ["CC"] = "gcc" } });
        var run = await NextAsync(relay, "POST", $"/api/cerver/provider/sandboxes/{RemotePath}/run");
        await relay.AnswerAsync(run, new { stdout = "büilt\n", stderr = "warned\n", exit_code = 2, duration_ms = 12.5 });
        using var answer = await running;
        using var late = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "make", timeout = 600 });

        Assert.Equal("""{"code":"make","timeout":20,"envs":{"CC":"gcc"}}""", run.GetProperty("body").GetRawText());
        var result = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("result");
        Assert.Equal(("büilt\n", "warned\n", 2), (Text(result, "stdout"), Text(result, "stderr"), result.GetProperty("exit_code").GetInt32()));
        Assert.Equal((HttpStatusCode.BadRequest, "timeout"), (late.StatusCode, (await late.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("field").GetString()));
    }

    [Fact]
    public async Task A_relay_that_does_not_know_the_agent_any_more_opens_it_again_for_the_next_input()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);

        var telling = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/input", new { content = "Are you there?", role = "user" });
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/input"), new { error = "no such agent" }, status: 404);
        await relay.AnswerAsync(await NextAsync(relay, "DELETE", $"/sandboxes/{RemotePath}"), body: null, status: 404);
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/sandboxes"), new { sandbox_id = "another" }, status: 201);
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/api/local-claude/agents/another/input"), new { ok = true });
        using var answer = await telling;

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(1, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("transcriptTotal").GetInt64());
    }

    [Fact]
    public async Task An_input_that_the_agent_may_not_have_heard_says_so_and_is_not_said_again_under_the_same_key()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        var key = Guid.NewGuid().ToString();

        var telling = TellAsync(session, key);
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/input"), new { error = "busy", message = "The agent is busy." }, status: 500);
        using var refused = await telling;
        using var again = await TellAsync(session, key);
        using var other = await TellAsync(session, key, "Stop.");
        telling = TellAsync(session, Guid.NewGuid().ToString());
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/input"), new { ok = true });
        using var taken = await telling;

        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        const string NotHeard = "The input is entry 0 of the transcript, and the agent may not have heard it. Send it under a new Idempotency-Key to say it again.";
        foreach (var (answer, sentence) in new[] { (refused, $"{NotHeard} The machine said: The agent is busy."), (again, NotHeard) })
        {
            var refusal = await answer.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal(("provider_unavailable", sentence), (Text(refusal, "code"), Text(refusal, "error")));
        }

        Assert.Equal(2, (await taken.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("transcriptTotal").GetInt64());
    }

    [Fact]
    public async Task A_relay_that_does_not_answer_to_an_input_is_told_of_and_not_taken_for_one_that_did()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);

        using var refused = await TellAsync(session, Guid.NewGuid().ToString());

        var refusal = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((HttpStatusCode.BadGateway, "provider_unavailable"), (refused.StatusCode, Text(refusal, "code")));
        Assert.StartsWith("The input is entry 0 of the transcript", Text(refusal, "error"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_input_that_the_agent_heard_is_told_once_whoever_sends_it_again()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        var key = Guid.NewGuid().ToString();

        var telling = TellAsync(session, key);
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/input"), new { ok = true });
        using var told = await telling;
        using var again = await TellAsync(session, key);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (told.StatusCode, again.StatusCode));
        Assert.Equal(await told.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_opening_that_takes_long_goes_on_and_is_what_the_next_input_waits_for()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        await PauseAsync(relay, session);

        using var refused = await TellAsync(session, Guid.NewGuid().ToString());
        var opening = await NextAsync(relay, "POST", "/sandboxes");
        var telling = TellAsync(session, Guid.NewGuid().ToString());
        await relay.AnswerAsync(opening, new { sandbox_id = "late" }, status: 201);
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/api/local-claude/agents/late/input"), new { ok = true });
        using var told = await telling;

        Assert.Equal(HttpStatusCode.BadGateway, refused.StatusCode);
        Assert.Equal(1, (await told.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("transcriptTotal").GetInt64());
    }

    [Fact]
    public async Task What_is_opened_for_a_session_that_nobody_waits_for_any_more_is_removed()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        await PauseAsync(relay, session);

        using var refused = await TellAsync(session, Guid.NewGuid().ToString());
        using var paused = await gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null);
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/sandboxes"), new { sandbox_id = "late" }, status: 201);

        // When that fails its name is known, and the next pause tries again.
        await relay.AnswerAsync(await NextAsync(relay, "DELETE", "/sandboxes/late"), body: null, status: 500);
        await PauseUntilAsync(relay, session, "/sandboxes/late");
        Assert.Equal((HttpStatusCode.BadGateway, HttpStatusCode.OK), (refused.StatusCode, paused.StatusCode));
    }

    [Fact]
    public async Task An_agent_that_could_not_be_removed_is_removed_with_the_next_pause()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);

        await PauseAsync(relay, session, status: 500);
        await PauseAsync(relay, session, status: 204);
        using var again = await gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null);
        var next = gateway.Machine(relay.ComputeId).RequestAsync(Request());
        await relay.AnswerAsync(await NextAsync(relay, "GET", "/provider"), new { });
        await next;

        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task A_relay_that_repeats_its_token_shows_it_to_nobody()
    {
        await using var relay = await ConnectAsync();
        var creating = gateway.Client.PostAsJsonAsync("/v2/sessions", new { compute = relay.ComputeId });
        var opening = await NextAsync(relay, "POST", "/sandboxes");
        var token = Text(opening.GetProperty("body").GetProperty("metadata"), "cerver_api_token");
        await relay.AnswerAsync(opening, new { error = "invalid_request", message = $"No place for {token} and {token}." }, status: 400);
        using var refused = await creating;

        Assert.Equal(Token, token);
        Assert.Equal($"No place for {new string('*', Token.Length)} and {new string('*', Token.Length)}.", Text(await refused.Content.ReadFromJsonAsync<JsonElement>(), "error"));
    }

    [Fact]
    public async Task What_looks_like_a_token_is_dropped_when_a_session_moves_to_a_machine()
    {
        await using var relay = await ConnectAsync();
        using var created = await gateway.Client.PostAsJsonAsync("/v2/sessions", new { session_type = "transcript", metadata = new { github_token = "for-the-machine-alone", branch = "main" } });
        var session = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;

        var moving = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/compute", new { compute = relay.ComputeId });
        var opening = await NextAsync(relay, "POST", "/sandboxes");
        await relay.AnswerAsync(opening, new { sandbox_id = RemoteId }, status: 201);
        using var moved = await moving;
        var metadata = (await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}")).GetProperty("metadata");

        Assert.Equal(HttpStatusCode.OK, moved.StatusCode);
        Assert.Equal("for-the-machine-alone", Text(opening.GetProperty("body").GetProperty("metadata"), "github_token"));
        Assert.Equal("""{"branch":"main"}""", metadata.GetRawText());
    }

    [Fact]
    public async Task A_machine_that_cannot_be_reached_refuses_input_and_runs_and_nothing_is_appended()
    {
        var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        await relay.DisposeAsync();
        await gateway.UntilAsync(relay.ComputeId, "offline");

        using var told = await TellAsync(session, Guid.NewGuid().ToString());
        using var run = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "true" });

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (told.StatusCode, run.StatusCode));
        Assert.Equal("compute_offline", Text(await told.Content.ReadFromJsonAsync<JsonElement>(), "code"));
        Assert.Equal(0, (await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}")).GetProperty("transcriptTotal").GetInt64());
    }

    [Fact]
    public async Task A_pause_removes_the_agent_a_restart_of_the_gateway_does_not_and_the_end_does()
    {
        var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        await relay.DisposeAsync();
        await gateway.RestartAsync();
        await using var again = await ScriptedRelay.ConnectAsync(gateway.Address, relay.ComputeId, Token);

        var telling = TellAsync(session, Guid.NewGuid().ToString());
        await again.AnswerAsync(await NextAsync(again, "POST", $"/api/local-claude/agents/{RemotePath}/input"), new { ok = true });
        using var told = await telling;
        var pausing = gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null);
        await again.AnswerAsync(await NextAsync(again, "DELETE", $"/sandboxes/{RemotePath}"), body: null, status: 204);
        using var paused = await pausing;
        var late = await PostAsync($"/v2/sessions/{session}/status", new { status = "running" });
        var resuming = gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/resume", UriKind.Relative), content: null);
        await again.AnswerAsync(await NextAsync(again, "POST", "/sandboxes"), new { sandbox_id = "another" }, status: 201);
        using var resumed = await resuming;
        var ending = gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{session}", UriKind.Relative));
        await again.AnswerAsync(await NextAsync(again, "DELETE", "/sandboxes/another"), body: null, status: 404);
        using var ended = await ending;

        Assert.Equal("idle", Text(late, "status"));
        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK), (told.StatusCode, paused.StatusCode, resumed.StatusCode, ended.StatusCode));
    }

    [Fact]
    public async Task A_machine_that_got_our_relay_while_the_session_was_paused_is_asked_as_such()
    {
        await using var relay = await ConnectAsync();
        var session = await CreateAsync(relay);
        await PauseAsync(relay, session);
        await PostAsync("/v2/computes/register", new { compute_id = relay.ComputeId, capabilities = new { cerver_runs = 1 } });

        var resuming = gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/resume", UriKind.Relative), content: null);
        var opening = await NextAsync(relay, "POST", "/sandboxes");
        var sandbox = Text(opening.GetProperty("body"), "sandbox_id");
        await relay.AnswerAsync(opening, new { sandbox_id = sandbox, status = "ready", generation = 1 }, status: 201);
        using var resumed = await resuming;

        Assert.StartsWith("sbx_", sandbox, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, resumed.StatusCode);
    }

    [Fact]
    public async Task What_the_agent_tells_reaches_whoever_watches_and_what_another_machine_tells_does_not()
    {
        await using var relay = await ConnectAsync();
        await using var other = await ConnectAsync();
        var session = await CreateAsync(relay);
        using var watching = await gateway.Client.GetAsync(new Uri($"/v2/sessions/{session}/agent/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        using var stranger = await gateway.Other.GetAsync(new Uri($"/v2/sessions/{session}/agent/stream", UriKind.Relative));
        using var lines = new StreamReader(await watching.Content.ReadAsStreamAsync());

        // A subscription takes a moment to be known everywhere, and nothing says when it is.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var telling = TellUntilAsync();
        var frame = new string?[] { await lines.ReadLineAsync(limit.Token), await lines.ReadLineAsync(limit.Token) };
        await limit.CancelAsync();
        await telling;
        var ending = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/status", new { status = "completed" });
        await relay.AnswerAsync(await NextAsync(relay, "DELETE", $"/sandboxes/{RemotePath}"), body: null, status: 204);
        using var ended = await ending;
        var rest = await lines.ReadToEndAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(HttpStatusCode.NotFound, stranger.StatusCode);
        Assert.Equal(("event: agent", """data: {"type":"text_delta", "content":"Mending …"}"""), (frame[0], frame[1]));
        Assert.DoesNotContain("Lies", rest, StringComparison.Ordinal);

        async Task TellUntilAsync()
        {
            while (!limit.IsCancellationRequested)
            {
                await other.SendAsync(new { type = "stream_event", session_id = session, @event = new { type = "text_delta", content = "Lies" } });
                await relay.SendAsync("""{"type":"stream_event","session_id":"SESSION","event":{"type":"text_delta",¶"content":"Mending …"}}""".Replace('¶', '\n').Replace("SESSION", session, StringComparison.Ordinal));
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
            }
        }
    }

    [Fact]
    public async Task Of_sessions_that_no_machine_drives_an_agent_for_only_an_end_counts()
    {
        using var created = await gateway.Client.PostAsJsonAsync("/v2/sessions", new { session_type = "transcript" });
        var session = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;

        var running = await PostAsync($"/v2/sessions/{session}/status", new { status = "running" });
        var ended = await PostAsync($"/v2/sessions/{session}/status", new { status = "failed", end_reason = "out of memory" });
        var record = await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}");
        using var unknown = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/status", new { status = "dancing" });
        using var ours = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/status", new { status = "idle", end_reason = "import_incomplete" });

        Assert.Equal(("idle", "ended", "out of memory"), (Text(running, "status"), Text(ended, "status"), Text(record, "endReason")));
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (unknown.StatusCode, ours.StatusCode));
    }

    private async Task<ScriptedRelay> ConnectAsync()
    {
        var (_, relay) = await gateway.ConnectAsync();
        return relay;
    }

    private async Task<string> CreateAsync(ScriptedRelay relay)
    {
        var creating = gateway.Client.PostAsJsonAsync("/v2/sessions", new { compute = relay.ComputeId });
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/sandboxes"), new { sandbox_id = RemoteId, status = "ready" }, status: 201);
        using var created = await creating;
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync());
        return (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;
    }

    private async Task<HttpResponseMessage> TellAsync(string session, string key, string content = "Go on.")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/input") { Content = JsonContent.Create(new { content, role = "user" }) };
        request.Headers.Add("Idempotency-Key", key);
        return await gateway.Client.SendAsync(request);
    }

    private async Task PauseAsync(ScriptedRelay relay, string session, int status = 204)
    {
        var pausing = gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null);
        await relay.AnswerAsync(await NextAsync(relay, "DELETE", $"/sandboxes/{RemotePath}"), body: null, status);
        using var paused = await pausing;
        Assert.Equal(HttpStatusCode.OK, paused.StatusCode);
    }

    /// <summary>Pauses until the machine is asked to remove a sandbox: what failed before is noted in the background.</summary>
    private async Task PauseUntilAsync(ScriptedRelay relay, string session, string removed)
    {
        var asked = NextAsync(relay, "DELETE", removed);
        while (!asked.IsCompleted)
        {
            var pausing = gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null);
            if (await Task.WhenAny(asked, pausing) == asked)
            {
                await relay.AnswerAsync(await asked, body: null, status: 204);
            }

            using var paused = await pausing;
            Assert.Equal(HttpStatusCode.OK, paused.StatusCode);
        }

        await asked;
    }

    private async Task<JsonElement> PostAsync(string path, object body)
    {
        using var response = await gateway.Client.PostAsJsonAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task PatchAsync(string session, object body)
    {
        using var response = await gateway.Client.PatchAsJsonAsync($"/v2/sessions/{session}", body);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<JsonElement> NextAsync(ScriptedRelay relay, string method, string pathEnd)
    {
        JsonElement frame;
        do
        {
            frame = await relay.NextAsync();
        }
        while (!frame.GetProperty("type").ValueEquals("request"));
        Assert.Equal(method, frame.GetProperty("method").GetString());
        Assert.EndsWith(pathEnd, frame.GetProperty("path").GetString(), StringComparison.Ordinal);
        return frame;
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();
}
