using System.Collections.Concurrent;
using Cerver.Tests.Http;
using ModelContextProtocol;

namespace Cerver.Tests.Mcp;

[Collection(nameof(GatewayFixture))]
public sealed class RunToolTests(GatewayFixture gateway)
{
    [Theory]
    [InlineData("2025-06-18")]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task Code_runs_and_answers_with_what_it_printed(string version)
    {
        await using var agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token, version);
        var sessionId = await gateway.CreateAsync();
        var answer = await agent.AskAsync("cerver_run", new { session_id = sessionId, code = "echo $WHO; echo oops >&2; exit 3", envs = new { WHO = "me" }, runtime = "shell", timeout = 20 });

        Assert.Equal(version, agent.Client.NegotiatedProtocolVersion);
        var result = answer.StructuredContent!.Value;
        Assert.Equal(("me\n", "oops\n", 3), (result.GetProperty("stdout").GetString(), result.GetProperty("stderr").GetString(), result.GetProperty("exit_code").GetInt32()));
        Assert.StartsWith("exit code 3, ", Agent.TextOf(answer), StringComparison.Ordinal);
        Assert.EndsWith("--- stdout ---\nme\n\n--- stderr ---\noops\n", Agent.TextOf(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_beyond_the_limit_is_left_out_and_said_to_be()
    {
        await using var agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token);
        var answer = await agent.AskAsync("cerver_run", new { session_id = await gateway.CreateAsync(), code = "seq 1 100000" });

        Assert.True(answer.StructuredContent!.Value.GetProperty("truncated").GetBoolean());
        Assert.Contains("more output than fits here", Agent.TextOf(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_with_a_key_happens_once()
    {
        await using var agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token);
        var arguments = new { session_id = await gateway.CreateAsync(), code = "echo $RANDOM$RANDOM", idempotency_key = "mcp-run-once" };
        var first = await agent.CallAsync("cerver_run", arguments);
        var second = await agent.CallAsync("cerver_run", arguments);

        Assert.Equal(first.GetRawText(), second.GetRawText());
    }

    [Fact]
    public async Task A_session_without_compute_cannot_run_code()
    {
        await using var agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token);

        Assert.Contains(
            "code: no_compute", await agent.FailAsync("cerver_run", new { session_id = await gateway.CreateTranscriptAsync(), code = "true" }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task A_client_that_asks_for_it_hears_that_the_run_goes_on(string version)
    {
        await using var agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token, version);
        var heard = new Heard(enough: 2);
        var sessionId = await gateway.CreateAsync();
        await gateway.Client.PostAsync(new Uri($"/v2/sessions/{sessionId}/run", UriKind.Relative), System.Net.Http.Json.JsonContent.Create(new { code = "mkfifo gate" }));
        var running = agent.AskAsync("cerver_run", new { session_id = sessionId, code = "cat gate" }, heard);
        await heard.Enough;
        await gateway.Client.PostAsync(new Uri($"/v2/sessions/{sessionId}/run", UriKind.Relative), System.Net.Http.Json.JsonContent.Create(new { code = "echo on > gate" }));
        var answer = await running;

        Assert.Equal("on\n", answer.StructuredContent!.Value.GetProperty("stdout").GetString());
        var values = heard.Values.ToArray();
        Assert.True(values[0].Progress < values[1].Progress);
        Assert.Contains(answer.StructuredContent.Value.GetProperty("run_id").GetString()!, values[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task Who_cancels_the_call_cancels_the_run(string version)
    {
        await using var agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token, version);
        using var cancellation = new CancellationTokenSource();
        var heard = new Heard(enough: 1);
        var sessionId = await gateway.CreateAsync();
        var running = agent.AskAsync("cerver_run", new { session_id = sessionId, code = "sleep 1000", timeout = 900 }, heard, cancellation.Token);
        await heard.Enough;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        var runId = heard.Values.First().Message!.Split(' ')[0];
        var events = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{sessionId}/runs/{runId}/stream", UriKind.Relative));
        Assert.Contains("\"cancelled\":true", events, StringComparison.Ordinal);
    }

    /// <summary>What a client hears of a call, in order.</summary>
    private sealed class Heard(int enough) : IProgress<ProgressNotificationValue>
    {
        private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<ProgressNotificationValue> Values { get; } = [];

        public Task Enough => _enough.Task;

        public void Report(ProgressNotificationValue value)
        {
            Values.Enqueue(value);
            if (Values.Count >= enough)
            {
                _enough.TrySetResult();
            }
        }
    }
}
