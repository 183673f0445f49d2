using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using static Cerver.Tests.Http.GatewayFixture;

namespace Cerver.Tests.Http;

[Collection(nameof(GatewayFixture))]
public sealed class RunHttpTests(GatewayFixture gateway)
{
    [Theory]
    [InlineData("shell", "echo $((6*7)); echo oops >&2; exit 3", "42\n", "oops\n", 3)]
    [InlineData("node", "console.log(6*7); console.error('oops'); process.exit(3)", "42\n", "oops\n", 3)]
    [InlineData("python", "import sys; print(6*7); print('oops', file=sys.stderr); sys.exit(3)", "42\n", "oops\n", 3)]
    public async Task Every_runtime_gives_both_outputs_and_the_exit_code(string runtime, string code, string stdout, string stderr, int exitCode)
    {
        var id = await gateway.CreateAsync(new { requirements = new { runtime } });

        var (_, result) = await RunAsync(id, new { code });

        Assert.Equal((stdout, stderr, exitCode), (Text(result, "stdout"), Text(result, "stderr"), result.GetProperty("exit_code").GetInt32()));
        Assert.False(result.GetProperty("timed_out").GetBoolean());
    }

    [Fact]
    public async Task A_run_may_name_another_runtime_and_its_own_variables()
    {
        var id = await gateway.CreateAsync();

        var (_, result) = await RunAsync(id, new { code = "import os; print(os.environ['GREETING'])", runtime = "python", envs = new Dictionary<string, string> { ["GREETING"] = "grüezi" } });

        Assert.True(Text(result, "stdout") == "grüezi\n", result.GetRawText());
    }

    [Fact]
    public async Task A_run_that_takes_too_long_is_ended_with_its_whole_tree()
    {
        var id = await gateway.CreateAsync();

        var (_, result) = await RunAsync(id, new { code = "setsid sleep 1234 & echo started; sleep 1234", timeout = 1 });
        var (_, left) = await RunAsync(id, new { code = "pgrep -x sleep | wc -l" });

        Assert.True(result.GetProperty("timed_out").GetBoolean());
        Assert.Equal("started\n", Text(result, "stdout"));
        Assert.Equal("0\n", Text(left, "stdout"));
    }

    [Fact]
    public async Task Several_runs_go_on_at_once_in_one_sandbox()
    {
        var id = await gateway.CreateAsync();

        // Each waits for the other, so they end only when they run together.
        var runs = await Task.WhenAll(
            RunAsync(id, new { code = "touch a; until [ -e b ]; do sleep 0.01; done; echo a" }),
            RunAsync(id, new { code = "touch b; until [ -e a ]; do sleep 0.01; done; echo b" }));

        Assert.Equal(["a\n", "b\n"], runs.Select(run => Text(run.Result, "stdout")));
    }

    [Fact]
    public async Task A_stream_shows_output_while_the_run_goes_on()
    {
        var id = await gateway.CreateAsync();
        using var frames = await FrameReader.PostAsync(gateway.Client, $"/v2/sessions/{id}/run/stream", new { code = "echo one; until [ -e go ]; do sleep 0.01; done; echo two >&2; exit 5" });

        var run = await frames.NextAsync();
        var one = await frames.NextAsync();
        await RunAsync(id, new { code = "touch go" });
        var two = await frames.NextAsync();
        var exit = await frames.NextAsync();

        Assert.Equal(("0", "run", id), (run.Id, run.Event, Text(run.Data, "session_id")));
        Assert.Equal(("1", "stdout", "one\n"), (one.Id, one.Event, Text(one.Data, "data")));
        Assert.Equal(("2", "stderr", "two\n"), (two.Id, two.Event, Text(two.Data, "data")));
        Assert.Equal(("3", "exit", 5, false, false), (exit.Id, exit.Event, exit.Data.GetProperty("exit_code").GetInt32(), exit.Data.GetProperty("timed_out").GetBoolean(), exit.Data.GetProperty("cancelled").GetBoolean()));
        Assert.True(await frames.EndsAsync());
        Assert.Equal(Text(run.Data, "run_id"), frames.Response.Headers.GetValues("Cerver-Run-Id").Single());
        Assert.Equal(("text/event-stream", "no"), (frames.Response.Content.Headers.ContentType!.MediaType, frames.Response.Headers.GetValues("X-Accel-Buffering").Single()));
    }

    [Fact]
    public async Task A_watcher_who_comes_back_gets_the_rest_byte_for_byte()
    {
        var id = await gateway.CreateAsync();
        var (runId, _) = await RunAsync(id, new { code = "for i in $(seq 200); do echo line $i; echo err $i >&2; done" });

        var whole = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{id}/runs/{runId}/stream", UriKind.Relative));
        var ids = whole.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal)).Select(line => line[4..]).ToList();
        foreach (var last in ids.Where((_, i) => i % 7 == 0))
        {
            var rest = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{id}/runs/{runId}/stream?last_event_id={last}", UriKind.Relative));
            Assert.EndsWith(rest, whole, StringComparison.Ordinal);
            Assert.Equal(ids.Count - ids.IndexOf(last) - 1, rest.Split('\n').Count(line => line.StartsWith("id: ", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_position_beyond_the_end_of_a_run_is_refused_and_the_end_itself_is_not()
    {
        var id = await gateway.CreateAsync();
        var (runId, _) = await RunAsync(id, new { code = "echo one" });
        var stream = $"/v2/sessions/{id}/runs/{runId}/stream";

        Assert.Equal("", await gateway.Client.GetStringAsync(new Uri($"{stream}?after=2", UriKind.Relative)));
        Assert.Equal((HttpStatusCode.BadRequest, "last_event_id"), await RefusalAsync($"{stream}?last_event_id=3"));
        Assert.Equal((HttpStatusCode.BadRequest, "after"), await RefusalAsync($"{stream}?after=9223372036854775807"));
        Assert.Equal((HttpStatusCode.BadRequest, "Last-Event-ID"), await RefusalAsync($"{stream}?after=1", lastEventId: "3"));
    }

    [Fact]
    public async Task A_position_beyond_what_a_run_has_printed_so_far_is_refused()
    {
        var id = await gateway.CreateAsync();
        using var frames = await FrameReader.PostAsync(gateway.Client, $"/v2/sessions/{id}/run/stream", new { code = "echo one; until [ -e go ]; do sleep 0.01; done; echo two" });
        var runId = Text((await frames.NextAsync()).Data, "run_id")!;
        await frames.NextAsync();
        var stream = $"/v2/sessions/{id}/runs/{runId}/stream";

        Assert.Equal((HttpStatusCode.BadRequest, "last_event_id"), await RefusalAsync($"{stream}?last_event_id=3"));
        using var watching = await gateway.Client.GetAsync(new Uri($"{stream}?last_event_id=1", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        await RunAsync(id, new { code = "touch go" });

        Assert.StartsWith("id: 2\nevent: stdout\ndata: {\"data\":\"two\\n\"}\n", await watching.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_whose_rows_are_gone_is_announced_as_a_gap()
    {
        var id = await gateway.CreateAsync();
        var (runId, _) = await RunAsync(id, new { code = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done" });
        var stream = new Uri($"/v2/sessions/{id}/runs/{runId}/stream", UriKind.Relative);
        var head = (await gateway.Client.GetStringAsync(stream)).Split("\n\n").Length - 3;
        Assert.True(head >= 5, $"{head} chunks are too few for holes.");

        await using (var database = new SqliteConnection($"Data Source={Path.Combine(gateway.DataDirectory, "cerver.db")}"))
        {
            await database.OpenAsync();
            await using var purge = database.CreateCommand();
            purge.CommandText = "delete from run_output where run_id = $run and sequence in (2, 3, $head)";
            purge.Parameters.AddWithValue("$run", runId);
            purge.Parameters.AddWithValue("$head", head);
            Assert.Equal(3, await purge.ExecuteNonQueryAsync());
        }

        var replay = await gateway.Client.GetStringAsync(stream);
        Assert.Contains("id: 3\nevent: gap\ndata: {\"from\":2,\"to\":3}\n\nid: 4\n", replay, StringComparison.Ordinal);
        Assert.Contains($"id: {head}\nevent: gap\ndata: {{\"from\":{head},\"to\":{head}}}\n\nid: {head + 1}\nevent: exit\n", replay, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_goes_away_does_not_end_the_run()
    {
        var id = await gateway.CreateAsync();
        string runId;
        using (var frames = await FrameReader.PostAsync(gateway.Client, $"/v2/sessions/{id}/run/stream", new { code = "echo one; until [ -e go ]; do sleep 0.01; done; echo two" }))
        {
            runId = Text((await frames.NextAsync()).Data, "run_id")!;
        }

        await RunAsync(id, new { code = "touch go" });
        var replay = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{id}/runs/{runId}/stream", UriKind.Relative));

        Assert.Contains("two", replay, StringComparison.Ordinal);
        Assert.Contains("\"exit_code\":0", replay, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_cancelled_with_its_tree()
    {
        var id = await gateway.CreateAsync();
        using var frames = await FrameReader.PostAsync(gateway.Client, $"/v2/sessions/{id}/run/stream", new { code = "echo up; sleep 1234", timeout = 600 });
        var runId = Text((await frames.NextAsync()).Data, "run_id")!;
        await frames.NextAsync();

        using var cancelled = await gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{id}/runs/{runId}", UriKind.Relative));
        var exit = await frames.NextAsync();

        Assert.True(cancelled.IsSuccessStatusCode);
        Assert.Equal(("exit", true), (exit.Event, exit.Data.GetProperty("cancelled").GetBoolean()));
        var record = await gateway.GetAsync($"/v2/sessions/{id}/runs/{runId}");
        Assert.Equal("cancelled", Text(record, "status"));
    }

    [Fact]
    public async Task Bytes_that_are_not_text_arrive_as_base64_and_characters_are_whole()
    {
        var id = await gateway.CreateAsync();
        using var frames = await FrameReader.PostAsync(gateway.Client, $"/v2/sessions/{id}/run/stream", new { code = """printf 'grüezi €\n'; sleep 0.2; printf '\xff\xfe'""" });

        await frames.NextAsync();
        var text = await frames.NextAsync();
        var bytes = await frames.NextAsync();

        Assert.Equal("grüezi €\n", Text(text.Data, "data"));
        Assert.Equal("//4=", Text(bytes.Data, "data_base64"));
    }

    [Fact]
    public async Task A_flood_of_output_arrives_whole()
    {
        var id = await gateway.CreateAsync();

        var (_, result) = await RunAsync(id, new { code = "seq 1 500000" });

        Assert.Equal(string.Concat(Enumerable.Range(1, 500_000).Select(i => $"{i}\n")), Text(result, "stdout"));
        Assert.False(result.GetProperty("truncated").GetBoolean());
    }

    [Fact]
    public async Task The_sandbox_sees_nothing_of_the_gateway()
    {
        var id = await gateway.CreateAsync();

        var (_, result) = await RunAsync(id, new
        {
            code = $$"""
                cat {{gateway.DataDirectory}}/cerver.db 2>&1 | head -c 100
                cat /proc/1/environ | tr '\0' '\n'; env
                cat /etc/shadow 2>&1 | head -c 100
                touch /usr/x /etc/x /x 2>&1
                ls /proc | grep -c '^[0-9]'
                """,
        });

        var output = Text(result, "stdout")!;
        Assert.DoesNotContain("SQLite format", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, output, StringComparison.Ordinal);
        Assert.DoesNotContain("DOTNET", output, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", output, StringComparison.Ordinal);
        Assert.Equal(3, output.Split("touch: cannot touch", StringSplitOptions.None).Length - 1);
    }

    [Fact]
    public async Task Ending_a_session_ends_its_processes_and_removes_its_files()
    {
        var id = await gateway.CreateAsync();
        var sandboxId = Text(await gateway.GetAsync($"/v2/sessions/{id}"), "sandboxId")!;
        using var frames = await FrameReader.PostAsync(gateway.Client, $"/v2/sessions/{id}/run/stream", new { code = "echo up; sleep 4321", timeout = 600 });
        await frames.NextAsync();
        await frames.NextAsync();
        Assert.True(Directory.Exists(Path.Combine(gateway.DataDirectory, "sandboxes", sandboxId)));

        await gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{id}", UriKind.Relative));

        Assert.Equal("exit", (await frames.NextAsync()).Event);
        Assert.False(Directory.Exists(Path.Combine(gateway.DataDirectory, "sandboxes", sandboxId)));
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc"), directory => CommandLine(directory) == "sleep\04321\0");
    }

    private static string CommandLine(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "cmdline"));
        }
        catch (IOException)
        {
            // Not a process, or one that has just ended.
            return "";
        }
    }

    [Fact]
    public async Task A_transcript_session_runs_nothing()
    {
        var id = await gateway.CreateTranscriptAsync();

        foreach (var path in (string[])["run", "run/stream"])
        {
            using var refused = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/{path}", new { code = "true" });
            Assert.Equal((HttpStatusCode.Conflict, "no_compute"), (refused.StatusCode, Text(await JsonAsync(refused), "code")));
        }
    }

    private async Task<(HttpStatusCode Status, string? Field)> RefusalAsync(string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        using var response = await gateway.Client.SendAsync(request);
        var refusal = await JsonAsync(response);
        Assert.Equal("invalid_request", Text(refusal, "code"));
        return (response.StatusCode, Text(refusal, "field"));
    }

    private async Task<(string RunId, JsonElement Result)> RunAsync(string id, object body)
    {
        using var response = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/run", body);
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        var answer = await JsonAsync(response);
        return (Text(answer, "run_id")!, answer.GetProperty("result"));
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
