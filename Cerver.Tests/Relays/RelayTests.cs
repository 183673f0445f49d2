using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cerver.Tests.Silo;

namespace Cerver.Tests.Relays;

/// <summary>Sessions on a machine that our own relay lends, over a real line to a real gateway.</summary>
public sealed class RelayTests : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("cerver-relay-").FullName;
    private GatewayProcess _gateway = null!;
    private BreakableLine _line = null!;
    private string _gatewayData = null!;
    private string _token = null!;
    private RelayProcess? _relay;

    private HttpClient Client => _gateway.Client;

    public async Task InitializeAsync()
    {
        _gatewayData = Directory.CreateTempSubdirectory("cerver-relay-gateway-").FullName;
        _gateway = await GatewayProcess.StartAsync(_gatewayData, "--Cerver:Compute:Local:Enabled=false");
        _line = BreakableLine.Begin(_gateway.Client.BaseAddress!);
        _token = (await File.ReadAllTextAsync(Path.Combine(_gatewayData, "token"))).Trim();
    }

    public async Task DisposeAsync()
    {
        await _line.DisposeAsync();
        await _gateway.DisposeAsync();
        Directory.Delete(_gatewayData, recursive: true);
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_session_runs_its_code_there_keeps_its_files_and_is_paused_and_ended_like_any_other()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));

        var first = await RunAsync(session, "echo out; echo err >&2; echo kept > file; exit 3");
        await PostAsync($"/v2/sessions/{session}/pause");
        var second = await RunAsync(session, "cat file; echo \"$GREETING\"", new Dictionary<string, string>(StringComparer.Ordinal) { ["GREETING"] = "hé=llo" });
        using var ended = await Client.DeleteAsync(new Uri($"/v2/sessions/{session}", UriKind.Relative));

        Assert.Equal(("out\n", "err\n", 3), (first.GetProperty("stdout").GetString(), first.GetProperty("stderr").GetString(), first.GetProperty("exit_code").GetInt32()));
        Assert.Equal(("kept\nhé=llo\n", 0), (second.GetProperty("stdout").GetString(), second.GetProperty("exit_code").GetInt32()));
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_data, "sandboxes")));
        await UntilAsync(() => Directory.GetFiles(Path.Combine(_data, "runs")).Length == 0);
        Assert.DoesNotContain(_token, relay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_takes_too_long_or_is_cancelled_is_stopped_there()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));

        var late = await RunAsync(session, "echo begun; sleep 1000", timeout: 1);
        var after = await RunAsync(session, "pgrep -x sleep | wc -l");

        Assert.Equal(("begun\n", true), (late.GetProperty("stdout").GetString(), late.GetProperty("timed_out").GetBoolean()));
        Assert.Equal("0\n", after.GetProperty("stdout").GetString());
    }

    [Fact]
    public async Task However_often_the_line_drops_all_that_was_printed_is_recorded_once_and_in_order()
    {
        const int Bytes = 50 * 1024 * 1024;
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using var begun = await BeginAsync(session, $"head -c {Bytes} /dev/urandom > much; sha256sum much >&2; split -b 1M --filter='cat; sleep 0.2' much");
        var running = EndedAsync(session, begun);
        for (var drop = 0; drop < 20; drop++)
        {
            // In the middle of it, each time: what was under way is gone.
            var passed = _line.Passed;
            await UntilAsync(() => _line.Passed - passed > 512 * 1024);
            _line.Break();
        }

        Assert.True(await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(90))) == running, $"The run did not end. The relay said:\n{relay.Output}\nand the gateway:\n{_gateway.Output}");
        var run = await running;
        var stored = await StoredAsync(session, begun.Headers.GetValues("Cerver-Run-Id").Single());

        Assert.Equal(("exited", 0, Bytes), (run.Status, run.ExitCode, run.Stdout.Length));
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(run.Stdout)), Encoding.UTF8.GetString(run.Stderr), StringComparison.Ordinal);
        Assert.Equal(run.Stdout, stored.Stdout);
        Assert.Equal(run.Stderr, stored.Stderr);
    }

    [Fact]
    public async Task A_machine_whose_owner_allows_no_network_takes_no_session_that_needs_it_and_takes_the_others()
    {
        await using var relay = _relay = RelayProcess.Launch(_line.Address, _token, _data, ("Cerver__Compute__Local__AllowNetwork", "false"));
        var computeId = await RelayProcess.ReadyAsync(Client);

        using var refused = await Client.PostAsJsonAsync("/v2/sessions", new { compute = computeId, requirements = new { network = true } });
        var run = await RunAsync(await CreateAsync(computeId), "echo taken");

        var body = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((HttpStatusCode.Conflict, "no_compute"), (refused.StatusCode, body.GetProperty("code").GetString()));
        Assert.Equal("Its sandboxes have no network.", body.GetProperty("report").GetProperty("candidates")[0].GetProperty("reasons")[0].GetString());
        Assert.Equal("taken\n", run.GetProperty("stdout").GetString());
    }

    [Fact]
    public async Task What_is_printed_while_the_line_is_down_arrives_when_it_is_up_and_meanwhile_the_session_takes_nothing_and_says_so()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        var running = StreamAsync(session, "echo before; while [ ! -e go ]; do sleep 0.1; done; echo after");
        await UntilAsync(async () => (await Client.GetStringAsync(new Uri($"/v2/sessions/{session}/runs", UriKind.Relative))).Contains("running", StringComparison.Ordinal));
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        _line.Cut();
        await RelayProcess.ReadyAsync(Client, isReady: false);
        var before = await TotalAsync(session);

        using var run = await Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "true" });
        using var input = await Client.PostAsJsonAsync($"/v2/sessions/{session}/input", new { content = "is anybody there?" });
        await File.WriteAllTextAsync(Path.Combine(Directory.GetDirectories(Path.Combine(_data, "sandboxes")).Single(), "go"), "");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "compute_offline"), (run.StatusCode, await CodeAsync(run)));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "compute_offline"), (input.StatusCode, await CodeAsync(input)));
        Assert.Equal(before, await TotalAsync(session));
        _line.Mend();
        var ended = await running;
        Assert.Equal(("exited", 0, "before\nafter\n"), (ended.Status, ended.ExitCode, Encoding.UTF8.GetString(ended.Stdout)));

        static async Task<string?> CodeAsync(HttpResponseMessage refusal) => (await refusal.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString();
    }

    [Fact]
    public async Task When_the_relay_dies_its_runs_are_lost_and_the_session_goes_on_when_it_is_back()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        await RunAsync(session, "echo kept > file");
        var running = StreamAsync(session, "echo begun; sleep 1000");
        await UntilAsync(() => Printed(_data, "begun"));

        await relay.KillAsync();
        await using var again = Launch();
        var ended = await running;
        await RelayProcess.ReadyAsync(Client);
        var next = await RunAsync(session, "cat file");

        Assert.Equal(("lost", null, "begun\n"), (ended.Status, ended.ExitCode, Encoding.UTF8.GetString(ended.Stdout)));
        Assert.Equal("kept\n", next.GetProperty("stdout").GetString());
    }

    [Fact]
    public async Task When_the_relay_is_asked_to_stop_its_gateway_has_all_that_was_printed_and_the_ends_of_the_runs_before_it_goes()
    {
        const int Bytes = 4 * 1024 * 1024;
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using var running = await BeginAsync(session, $"echo begun >&2; head -c {Bytes} /dev/zero | tr '\\0' x; echo printed; sleep 1000");
        await UntilAsync(() => Printed(_data, "printed"));

        Assert.Equal(0, await relay.StopAsync());
        var ended = await EndedAsync(session, running);
        await UntilAsync(async () => (await Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}")).GetProperty("status").ValueEquals("idle"));

        Assert.Equal(("lost", null, Bytes + "printed\n".Length), (ended.Status, ended.ExitCode, ended.Stdout.Length));
        Assert.Equal("begun\n", Encoding.UTF8.GetString(ended.Stderr));
        Assert.Empty(Directory.GetFiles(Path.Combine(_data, "open")));
        Assert.DoesNotContain("has not heard", relay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_relay_that_is_asked_to_stop_while_nobody_hears_it_stops_all_the_same_and_says_what_is_left_when_it_is_back()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using var running = await BeginAsync(session, "echo begun; sleep 1000");
        await UntilAsync(() => Printed(_data, "begun"));
        _line.Cut();
        await RelayProcess.ReadyAsync(Client, isReady: false);

        Assert.Equal(0, await relay.StopAsync());
        _line.Mend();
        await using var again = Launch();
        var ended = await EndedAsync(session, running);

        Assert.Equal(("lost", null, "begun\n"), (ended.Status, ended.ExitCode, Encoding.UTF8.GetString(ended.Stdout)));
        Assert.Contains("has not heard of all that ended here", relay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_goes_on_while_its_gateway_is_away_and_nothing_that_it_prints_is_missing_or_there_twice()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/run/stream")
        {
            Content = JsonContent.Create(new { code = "for i in $(seq 1 300); do echo line $i; sleep 0.02; done", timeout = 120 }),
        };
        using var started = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var runId = started.Headers.GetValues("Cerver-Run-Id").Single();

        await StartGatewayAsync(await KillGatewayAsync());
        await UntilAsync(async () => (await RecordAsync(session, runId)).GetProperty("status").GetString() != "running");

        var record = await RecordAsync(session, runId);
        Assert.Equal(("exited", 0), (record.GetProperty("status").GetString(), record.GetProperty("exit_code").GetInt32()));
        Assert.Equal(
            string.Concat(Enumerable.Range(1, 300).Select(static i => $"line {i}\n")),
            Encoding.UTF8.GetString((await StoredAsync(session, runId)).Stdout));
    }

    [Fact]
    public async Task A_run_whose_time_is_over_while_its_gateway_is_away_is_stopped_then_and_recorded_as_timed_out()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        var sleep = LentMachine.NewSleep();
        using var running = await BeginAsync(session, $"echo begun; sleep {sleep}", timeout: 3);
        var runId = running.Headers.GetValues("Cerver-Run-Id").Single();

        var port = await KillGatewayAsync();
        await UntilAsync(() => !LentMachine.Runs(sleep));
        await StartGatewayAsync(port);
        await UntilAsync(async () => (await RecordAsync(session, runId)).GetProperty("status").GetString() != "running");

        var record = await RecordAsync(session, runId);
        Assert.Equal(("timed_out", 143), (record.GetProperty("status").GetString(), record.GetProperty("exit_code").GetInt32()));
        Assert.Equal(
            "begun\n", Encoding.UTF8.GetString((await Streamed.ReadAsync(await Client.GetStreamAsync(new Uri($"/v2/sessions/{session}/runs/{runId}/stream", UriKind.Relative)))).Stdout));
    }

    [Fact]
    public async Task When_the_disk_is_full_what_ran_in_the_sandbox_is_lost_and_says_so_and_the_session_goes_on_when_there_is_room()
    {
        using var disk = new SmallDisk(megabytes: 8);
        await using var relay = _relay = RelayProcess.Launch(_line.Address, _token, disk.Data);
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        await RunAsync(session, "touch wait");
        var printing = StreamAsync(session, "echo begun; while [ -e wait ]; do sleep 0.1; done; while printf %05000d 1; do sleep 0.1; done");
        var other = StreamAsync(session, "echo other; sleep 1000");
        await UntilAsync(() => Printed(disk.Data, "begun") && Printed(disk.Data, "other"));

        disk.Fill();
        File.Delete(Path.Combine(Directory.GetDirectories(Path.Combine(disk.Data, "sandboxes"), "sbx_*").Single(), "wait"));
        var (ended, beside) = (await printing, await other);
        await UntilAsync(async () => (await Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}")).GetProperty("status").ValueEquals("idle"));
        disk.Free();
        var next = await RunAsync(session, "echo next");

        Assert.Equal(("lost", null, "lost", null), (ended.Status, ended.ExitCode, beside.Status, beside.ExitCode));
        Assert.StartsWith("begun\n", Encoding.UTF8.GetString(ended.Stdout), StringComparison.Ordinal);
        Assert.Equal("next\n", next.GetProperty("stdout").GetString());
        Assert.Contains("could not be kept; its sandbox was closed", relay.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("could not be read to its end", relay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_not_valid_ends_it_with_a_sentence_that_says_so()
    {
        await using var relay = RelayProcess.Launch(_line.Address, "not-a-token-of-this-gateway", _data);

        Assert.Equal(1, await relay.EndedAsync());
        Assert.Contains("refused this machine (401)", relay.Output, StringComparison.Ordinal);
    }

    private static bool Printed(string data, string text) =>
        Directory.GetFiles(Path.Combine(data, "runs")).Any(spool => File.ReadAllText(spool).Contains(text, StringComparison.Ordinal));

    private RelayProcess Launch() => _relay = RelayProcess.Launch(_line.Address, _token, _data);

    /// <summary>Ends the gateway without a word.</summary>
    /// <returns>The port that it had.</returns>
    private async Task<int> KillGatewayAsync()
    {
        var port = Client.BaseAddress!.Port;
        await _gateway.DisposeAsync();
        return port;
    }

    /// <summary>Starts the gateway again, where it was.</summary>
    private async Task StartGatewayAsync(int port)
    {
        _gateway = GatewayProcess.Launch(_gatewayData, urls: null, $"--urls=http://127.0.0.1:{port}", "--Cerver:Compute:Local:Enabled=false");
        await _gateway.UpAsync();
    }

    private Task<string> CreateAsync(string computeId) => _gateway.CreateAsync(new { compute = computeId });

    private async Task<JsonElement> RunAsync(string session, string code, object? envs = null, int timeout = 30)
    {
        using var response = await Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code, envs, timeout });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("result");
    }

    private async Task PostAsync(string path)
    {
        using var response = await Client.PostAsync(new Uri(path, UriKind.Relative), content: null);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task<(string? Status, int? ExitCode, byte[] Stdout, byte[] Stderr)> StreamAsync(string session, string code)
    {
        using var response = await BeginAsync(session, code);
        return await EndedAsync(session, response);
    }

    /// <summary>Begins a run. It is known to have started then.</summary>
    private async Task<HttpResponseMessage> BeginAsync(string session, string code, int timeout = 300)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/run/stream") { Content = JsonContent.Create(new { code, timeout }) };
        var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode, response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync());
        return response;
    }

    private async Task<(string? Status, int? ExitCode, byte[] Stdout, byte[] Stderr)> EndedAsync(string session, HttpResponseMessage response)
    {
        var streamed = await Streamed.ReadAsync(await response.Content.ReadAsStreamAsync());
        var record = await RecordAsync(session, response.Headers.GetValues("Cerver-Run-Id").Single());
        var exitCode = record.GetProperty("exit_code");
        return (record.GetProperty("status").GetString(), exitCode.ValueKind == JsonValueKind.Null ? null : exitCode.GetInt32(), streamed.Stdout, streamed.Stderr);
    }

    /// <summary>What is recorded of what a run printed that is over.</summary>
    private async Task<Streamed> StoredAsync(string session, string runId) =>
        await Streamed.ReadAsync(await Client.GetStreamAsync(new Uri($"/v2/sessions/{session}/runs/{runId}/stream", UriKind.Relative)));

    private async Task<JsonElement> RecordAsync(string session, string runId) => await Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}/runs/{runId}");

    private async Task<long> TotalAsync(string session) => (await Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}")).GetProperty("transcriptTotal").GetInt64();

    private Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    private async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var attempt = 0; !await isSo(); attempt++)
        {
            Assert.True(attempt < 600, $"It did not become so within a minute. The gateway said:\n{_gateway.Output}\nand the relay:\n{_relay?.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }
}
