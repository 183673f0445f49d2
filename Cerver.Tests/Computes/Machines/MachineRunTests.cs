using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using static Cerver.Tests.Computes.Machines.MachineGateway;

namespace Cerver.Tests.Computes.Machines;

/// <summary>Runs on machines that say what a machine says seldom and at a bad moment.</summary>
public sealed class MachineRunTests(MachineGateway gateway) : IClassFixture<MachineGateway>
{
    [Fact]
    public async Task A_sandbox_that_went_down_a_moment_ago_is_brought_up_again_for_the_run_that_finds_it()
    {
        await using var relay = await ConnectAsync();
        var (session, sandbox) = await CreateAsync(relay, generation: 1);
        var running = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "true" });

        await relay.AnswerAsync(await NextAsync(relay, "POST", $"/{sandbox}/runs"), new { error = "sandbox_closed", message = "The sandbox is not up on this machine." }, status: 409);
        await relay.AnswerAsync(await NextAsync(relay, "POST", "/sandboxes"), new { sandbox_id = sandbox, status = "ready", generation = 2 }, status: 201);

        // The news of the first one comes late, and is none of the second.
        await relay.SendAsync(new { type = "stream_event", session_id = "", @event = new { type = "sandbox_closed", sandbox_id = sandbox, generation = 1 } });
        await ExecuteAsync(relay, await NextAsync(relay, "POST", $"/{sandbox}/runs"), sandbox);
        using var answer = await running;

        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        Assert.Equal("ran\n", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("result").GetProperty("stdout").GetString());
    }

    [Fact]
    public async Task A_sandbox_that_is_down_whenever_a_run_is_to_start_is_told_of_and_leaves_none_going()
    {
        await using var relay = await ConnectAsync();
        var (session, sandbox) = await CreateAsync(relay, generation: 1);
        var running = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "true" });

        for (var generation = 2; generation < 4; generation++)
        {
            await relay.AnswerAsync(await NextAsync(relay, "POST", $"/{sandbox}/runs"), new { error = "sandbox_closed", message = "The sandbox is not up on this machine." }, status: 409);
            if (generation == 2)
            {
                await relay.AnswerAsync(await NextAsync(relay, "POST", "/sandboxes"), new { sandbox_id = sandbox, status = "ready", generation }, status: 201);
            }
        }

        using var answer = await running;
        var runs = await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}/runs");

        Assert.Equal("provider_unavailable", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
        Assert.Equal("lost", runs.GetProperty("runs").EnumerateArray().Single().GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_start_of_which_nobody_knows_what_came_is_made_once_whoever_sends_it_again()
    {
        var relay = await ConnectAsync();
        var (session, sandbox) = await CreateAsync(relay, generation: 1);
        var key = Guid.NewGuid().ToString();
        var running = RunAsync(session, key);
        var start = await NextAsync(relay, "POST", $"/{sandbox}/runs");
        relay.Vanish();
        using var first = await running;
        await gateway.UntilAsync(relay.ComputeId, "offline");
        await using var again = await ScriptedRelay.ConnectAsync(gateway.Address, relay.ComputeId, Token);

        using var second = await RunAsync(session, key);
        var runs = (await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}/runs")).GetProperty("runs").EnumerateArray().ToList();

        Assert.False(first.IsSuccessStatusCode);
        Assert.Equal([(start.GetProperty("body").GetProperty("run_id").GetString(), "lost")], runs.Select(static run => (run.GetProperty("run_id").GetString(), run.GetProperty("status").GetString())));

        // What it says of it all the same is answered with: nobody wants it.
        await again.SendAsync(new { type = "stream_event", session_id = "", @event = new { type = "run_going", sandbox_id = sandbox, run_id = runs[0].GetProperty("run_id").GetString() } });
        Assert.True((await NextOfTypeAsync(again, "ack")).GetProperty("is_over").GetBoolean());
    }

    [Fact]
    public async Task What_comes_while_a_sandbox_goes_down_is_taken_and_brings_nothing_up_again()
    {
        await using var relay = await ConnectAsync();
        var (session, sandbox) = await CreateAsync(relay, generation: 1);
        var running = gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "true" });
        var start = await NextAsync(relay, "POST", $"/{sandbox}/runs");
        var run = start.GetProperty("body").GetProperty("run_id").GetString()!;
        await relay.AnswerAsync(start, body: null, status: 202);
        var pausing = gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null);
        var close = await NextAsync(relay, "POST", $"/{sandbox}/close");

        await relay.SendAsync(new
        {
            type = "stream_event",
            session_id = "",
            @event = new { type = "run_output", sandbox_id = sandbox, run_id = run, sequence = 1, stream = "stdout", data = Encoding.UTF8.GetBytes("last words\n") },
        });
        Assert.Equal(1, (await NextOfTypeAsync(relay, "ack")).GetProperty("sequence").GetInt64());
        await relay.AnswerAsync(close, new { sandbox_id = sandbox, status = "closed" });
        using var paused = await pausing;
        using var answer = await running;
        await relay.SendAsync(new { type = "stream_event", session_id = "", @event = new { type = "sandbox_open", sandbox_id = sandbox, generation = 1 } });
        JsonElement acknowledged;
        do
        {
            acknowledged = await NextOfTypeAsync(relay, "ack");
        }
        while (acknowledged.TryGetProperty("run_id", out _));

        Assert.Equal("last words\n", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("result").GetProperty("stdout").GetString());
        Assert.True(acknowledged.GetProperty("is_over").GetBoolean());
        Assert.Equal("idle", await StatusAsync(session));
    }

    [Fact]
    public async Task What_is_said_of_an_older_opening_takes_nothing_down()
    {
        await using var relay = await ConnectAsync();
        var (session, sandbox) = await CreateAsync(relay, generation: 5);

        await relay.SendAsync(new { type = "stream_event", session_id = "", @event = new { type = "sandbox_closed", sandbox_id = sandbox, generation = 4 } });
        await NextOfTypeAsync(relay, "ack");
        var older = await StatusAsync(session);
        await relay.SendAsync(new { type = "stream_event", session_id = "", @event = new { type = "sandbox_closed", sandbox_id = sandbox, generation = 5 } });
        await NextOfTypeAsync(relay, "ack");
        var newer = await UntilAsync(session, "idle");

        Assert.Equal(("running", "idle"), (older, newer));
    }

    [Fact]
    public async Task A_session_that_is_paused_after_a_restart_goes_down_on_its_machine_before_that_has_said_a_word()
    {
        var relay = await ConnectAsync();
        var (session, sandbox) = await CreateAsync(relay, generation: 1);
        await relay.DisposeAsync();
        await gateway.RestartAsync();
        await using var again = await ScriptedRelay.ConnectAsync(gateway.Address, relay.ComputeId, Token);

        var pausing = gateway.Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null);
        await again.AnswerAsync(await NextAsync(again, "POST", $"/{sandbox}/close"), new { sandbox_id = sandbox, status = "closed" });
        using var paused = await pausing;

        Assert.True(paused.IsSuccessStatusCode, await paused.Content.ReadAsStringAsync());
        Assert.Equal("idle", await StatusAsync(session));
    }

    [Fact]
    public async Task A_machine_may_make_up_any_number_of_sandboxes_and_none_of_them_stays_in_memory()
    {
        const int AtOnce = 50;
        await using var relay = await ConnectAsync();
        await CreateAsync(relay, generation: 1);
        for (var round = 0; round < 100; round++)
        {
            for (var number = 0; number < AtOnce; number++)
            {
                await relay.SendAsync(new { type = "stream_event", session_id = "", @event = new { type = "sandbox_open", sandbox_id = Ids.NewSandbox(TimeProvider.System), generation = 7 } });
            }

            for (var number = 0; number < AtOnce; number++)
            {
                var acknowledged = await NextOfTypeAsync(relay, "ack");
                Assert.Equal((7, true), (acknowledged.GetProperty("sequence").GetInt32(), acknowledged.GetProperty("is_over").GetBoolean()));
            }
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        int left;
        while ((left = await CountSandboxesAsync()) > AtOnce)
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }

        // The real one is among them.
        Assert.NotEqual(0, left);
    }

    private async Task<int> CountSandboxesAsync()
    {
        var statistics = await gateway.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics();
        return statistics.Where(static grains => grains.GrainType.Contains("ComputeGrain", StringComparison.Ordinal)).Sum(static grains => grains.ActivationCount);
    }

    private async Task<HttpResponseMessage> RunAsync(string session, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/run") { Content = JsonContent.Create(new { code = "true" }) };
        request.Headers.Add("Idempotency-Key", key);
        return await gateway.Client.SendAsync(request);
    }

    private async Task<ScriptedRelay> ConnectAsync()
    {
        var computeId = NewId();
        using var registered = await gateway.Client.PostAsJsonAsync("/v2/computes/register", new { compute_id = computeId, capabilities = new { cerver_runs = 1 } });
        Assert.True(registered.IsSuccessStatusCode, await registered.Content.ReadAsStringAsync());
        return await ScriptedRelay.ConnectAsync(gateway.Address, computeId, Token);
    }

    private async Task<(string Session, string Sandbox)> CreateAsync(ScriptedRelay relay, int generation)
    {
        var creating = gateway.Client.PostAsJsonAsync("/v2/sessions", new { compute = relay.ComputeId });
        var opening = await NextAsync(relay, "POST", "/sandboxes");
        var sandbox = opening.GetProperty("body").GetProperty("sandbox_id").GetString()!;
        await relay.AnswerAsync(opening, new { sandbox_id = sandbox, status = "ready", generation }, status: 201);
        using var created = await creating;
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync());
        return ((await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!, sandbox);
    }

    /// <summary>Starts what is asked for, prints a line and ends it.</summary>
    private static async Task ExecuteAsync(ScriptedRelay relay, JsonElement start, string sandbox)
    {
        var run = start.GetProperty("body").GetProperty("run_id").GetString()!;
        await relay.AnswerAsync(start, body: null, status: 202);
        await relay.SendAsync(new
        {
            type = "stream_event",
            session_id = "",
            @event = new { type = "run_output", sandbox_id = sandbox, run_id = run, sequence = 1, stream = "stdout", data = Encoding.UTF8.GetBytes("ran\n") },
        });
        await relay.SendAsync(new { type = "stream_event", session_id = "", @event = new { type = "run_end", sandbox_id = sandbox, run_id = run, sequence = 2, exit_code = 0 } });
    }

    private static async Task<JsonElement> NextAsync(ScriptedRelay relay, string method, string pathEnd)
    {
        var request = await NextOfTypeAsync(relay, "request");
        Assert.Equal(method, request.GetProperty("method").GetString());
        Assert.EndsWith(pathEnd, request.GetProperty("path").GetString(), StringComparison.Ordinal);
        return request;
    }

    private static async Task<JsonElement> NextOfTypeAsync(ScriptedRelay relay, string type)
    {
        while (true)
        {
            var frame = await relay.NextAsync();
            if (frame.GetProperty("type").ValueEquals(type))
            {
                return frame;
            }
        }
    }

    private async Task<string?> StatusAsync(string session) =>
        (await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}")).GetProperty("status").GetString();

    private async Task<string?> UntilAsync(string session, string status)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        string? found;
        while ((found = await StatusAsync(session)) != status)
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }

        return found;
    }
}
