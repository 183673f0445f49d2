using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Cerver.Tests.Relays;

/// <summary>Sessions on machines where the caller, the socket, the grains and the relay are each at another process.</summary>
[Collection(nameof(MachineDeployment))]
public sealed class DeployedMachineTests(MachineDeployment deployment)
{
    [Fact]
    public async Task A_session_runs_its_code_there_keeps_its_files_over_a_pause_and_leaves_nothing()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);

        var first = await caller.RunAsync(session, "echo out; echo err >&2; echo kept > file; sleep 1000 & exit 3");
        await caller.PostAsync($"/v2/sessions/{session}/pause");
        var paused = machine.Processes().ToList();
        await caller.PostAsync($"/v2/sessions/{session}/resume");
        var second = await caller.RunAsync(session, "cat file");
        await caller.DeleteAsync($"/v2/sessions/{session}");

        Assert.Equal(("out\n", "err\n", 3), first);
        Assert.Empty(paused);
        Assert.Equal(("kept\n", "", 0), second);
        await Waiting.UntilAsync(() => machine.Left().Count == 0, () => $"There is left: {string.Join(", ", machine.Left())}");
    }

    [Fact]
    public async Task What_a_program_prints_there_arrives_byte_by_byte()
    {
        const int Bytes = 5 * 1024 * 1024;
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);

        using var run = await caller.StartAsync(session, $"head -c {Bytes} /dev/urandom > much; sha256sum much >&2; cat much");
        await run.EndedAsync();
        using var again = await caller.WatchAsync(session, run.Id!);
        await again.EndedAsync();

        Assert.Equal(("exited", 0), await caller.RecordAsync(run));
        Assert.Equal(Bytes, run.Stdout.Length);
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(run.Stdout)), Encoding.UTF8.GetString(run.Stderr), StringComparison.Ordinal);
        Assert.Equal(run.Stdout, again.Stdout);
    }

    [Fact]
    public async Task Code_variables_and_output_are_utf8_there_and_what_is_not_arrives_as_it_was_printed()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);

        var text = await caller.RunAsync(session, "echo 'grüße 🦊'; printf '%s' \"$GREETING\" >&2", ("GREETING", "hé=llo\n'\"$(false) \\ world"));
        var without = await caller.RunAsync(session, "printf '%s' \"$GREETING\"");
        using var run = await caller.StartAsync(session, string.Concat(Enumerable.Range(0, 256).Select(static i => $"printf '\\{Convert.ToString(i, 8)}'\n")));
        await run.EndedAsync();
        using var stored = await caller.WatchAsync(session, run.Id!);
        await stored.EndedAsync();

        Assert.Equal(("grüße 🦊\n", "hé=llo\n'\"$(false) \\ world", 0), text);
        Assert.Equal(("", "", 0), without);
        Assert.Equal([.. Enumerable.Range(0, 256).Select(static i => (byte)i)], run.Stdout);
        Assert.Equal(run.Stdout, stored.Stdout);
    }

    [Fact]
    public async Task Several_run_there_at_once_in_the_same_files()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);

        // Each waits for all others: one after another they would never end.
        var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            caller.RunAsync(session, $"touch here.{i}; until [ $(ls here.* | wc -l) = 8 ]; do sleep 0.05; done; echo {i}; echo $(({i} * 2)) >&2; exit {i}")));

        Assert.All(runs, static (run, i) => Assert.Equal(($"{i}\n", $"{i * 2}\n", i), run));
    }

    [Fact]
    public async Task However_often_the_line_drops_there_the_rows_of_a_run_have_every_byte_once_and_in_order()
    {
        const int Bytes = 50 * 1024 * 1024;
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);
        using var run = await caller.StartAsync(session, $"head -c {Bytes} /dev/urandom > much; sha256sum much >&2; split -b 1M --filter='cat; sleep 0.1' much");
        var watching = run.EndedAsync();

        for (var drop = 0; drop < 20; drop++)
        {
            // In the middle of it, each time: what was under way is gone.
            var passed = machine.Line.Passed;
            await Waiting.UntilAsync(() => machine.Line.Passed - passed > 512 * 1024, () => $"The relay said:\n{machine.Relay.Output}");
            Assert.False(watching.IsCompleted);
            machine.Line.Break();
        }

        await watching;
        using var stored = await caller.WatchAsync(session, run.Id!);
        await stored.EndedAsync();

        Assert.Equal(("exited", 0), await caller.RecordAsync(run));
        Assert.Equal(Bytes, stored.Stdout.Length);
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(stored.Stdout)), Encoding.UTF8.GetString(stored.Stderr), StringComparison.Ordinal);
        Assert.Equal(stored.Stdout, run.Stdout);
    }

    [Fact]
    public async Task A_relay_whose_token_is_not_valid_is_not_let_in_and_says_so()
    {
        const string Token = "not-a-token-of-this-cluster";
        await using var machine = await deployment.LaunchAsync(token: Token);
        using var caller = deployment.Call();

        Assert.Equal(1, await machine.Relay.EndedAsync());
        Assert.Contains("refused this machine (401)", machine.Relay.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, machine.Relay.Output, StringComparison.Ordinal);
        Assert.False(await caller.HasAsync(machine));
    }

    [Fact]
    public async Task A_run_that_is_cancelled_says_so_and_its_program_is_gone()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var sleep = LentMachine.NewSleep();
        using var run = await caller.StartAsync(await caller.CreateAsync(machine), $"echo begun; sleep {sleep}");
        await run.PrintedAsync("begun\n");
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        await caller.CancelAsync(run);
        await run.EndedAsync();

        Assert.True(run.End!.Data.GetProperty("cancelled").GetBoolean());
        Assert.Equal("cancelled", (await caller.RecordAsync(run)).Status);
        await Waiting.UntilAsync(() => !LentMachine.Runs(sleep));
    }

    [Fact]
    public async Task A_run_that_takes_too_long_says_so_and_its_program_is_gone()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var sleep = LentMachine.NewSleep();

        using var run = await caller.StartAsync(await caller.CreateAsync(machine), $"echo begun; sleep {sleep}", timeout: 1);
        await run.EndedAsync();

        Assert.Equal("begun\n", run.Text);
        Assert.True(run.End!.Data.GetProperty("timed_out").GetBoolean());
        Assert.Equal("timed_out", (await caller.RecordAsync(run)).Status);
        await Waiting.UntilAsync(() => !LentMachine.Runs(sleep));
    }

    [Fact]
    public async Task A_run_that_is_cancelled_while_the_line_is_down_ends_and_its_program_is_gone_when_the_line_is_up()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);
        var sleep = LentMachine.NewSleep();
        using var run = await caller.StartAsync(session, $"echo begun; sleep {sleep}");
        await run.PrintedAsync("begun\n");
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));
        machine.Line.Cut();
        await caller.ReadyAsync(machine, isReady: false);

        await caller.CancelAsync(run);
        Assert.True(LentMachine.Runs(sleep));
        machine.Line.Mend();
        await run.EndedAsync();

        Assert.Contains((await caller.RecordAsync(run)).Status, new[] { "cancelled", "lost" });
        await Waiting.UntilAsync(() => !LentMachine.Runs(sleep), () => $"It runs on. The relay said:\n{machine.Relay.Output}");
        Assert.Equal(("next\n", "", 0), await caller.RunAsync(session, "echo next"));
    }

    [Fact]
    public async Task Runs_of_two_machines_do_not_mix_and_one_goes_on_when_the_other_dies()
    {
        await using var one = await deployment.LendAsync();
        await using var other = await deployment.LendAsync();
        using var caller = deployment.Call();
        var (onOne, onOther) = (await caller.CreateAsync(one), await caller.CreateAsync(other));
        using var first = await caller.StartAsync(onOne, "for i in $(seq 100); do echo one $i; sleep 0.01; done; echo over; sleep 1000");
        using var second = await caller.StartAsync(onOther, "for i in $(seq 100); do echo other $i; sleep 0.01; done; echo over; while [ ! -e go ]; do sleep 0.05; done; echo on");
        await first.PrintedAsync("over\n");
        await second.PrintedAsync("over\n");

        await one.Relay.KillAsync();
        await caller.ReadyAsync(one, isReady: false);
        var refused = await caller.TryRunAsync(onOne, "true");
        Assert.Equal(("next\n", "", 0), await caller.RunAsync(onOther, "touch go; echo next"));
        await second.EndedAsync();

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "compute_offline"), (refused.Status, refused.Code));
        Assert.Equal(Numbered("one", 100) + "over\n", first.Text);
        Assert.Equal(Numbered("other", 100) + "over\non\n", second.Text);
        Assert.Equal(("exited", 0), await caller.RecordAsync(second));
    }

    [Fact]
    public async Task An_input_is_taken_once_under_a_key_and_another_one_under_it_is_refused()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);
        var key = Guid.NewGuid().ToString();

        var first = await caller.InputAsync(session, "Go on.", key);
        var again = await caller.InputAsync(session, "Go on.", key);
        var other = await caller.InputAsync(session, "Stop.", key);
        var next = await caller.InputAsync(session, "Stop.", key: null);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity), (first.Status, again.Status, other.Status));
        Assert.Equal((1, 1, 2), (first.TranscriptTotal, again.TranscriptTotal, next.TranscriptTotal));
    }

    [Fact]
    public async Task Of_two_relays_with_one_identity_the_later_has_the_line_and_nothing_is_run_twice()
    {
        const int Sessions = 6;
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var sessions = new List<string>();
        for (var number = 0; number < Sessions; number++)
        {
            sessions.Add(await caller.CreateAsync(machine));
        }

        await using var copy = await deployment.LaunchAsync(machine.ComputeId);
        await Waiting.UntilAsync(() => copy.Relay.Output.Contains("Connected to", StringComparison.Ordinal));
        await Waiting.UntilAsync(() => machine.Relay.Output.Contains("The line is down", StringComparison.Ordinal));

        // Both dial in again whenever the other one has, so a run may meet either, and be refused.
        var tried = new List<(HttpStatusCode Status, string Code, string Sentence)>();
        for (var number = 0; number < Sessions; number++)
        {
            tried.Add(await caller.TryRunAsync(sessions[number], $"echo run {number} >> ran"));
        }

        // All of them may have been refused; with one relay less none is.
        await copy.Relay.KillAsync();
        var last = 0;
        await Waiting.UntilAsync(async () => (await caller.TryRunAsync(sessions[0], $"echo last {++last} >> ran")).Status == HttpStatusCode.OK);

        var ran = new[] { machine, copy }.SelectMany(static one => Directory.GetFiles(Path.Combine(one.Data, "sandboxes"), "ran", SearchOption.AllDirectories)).SelectMany(File.ReadAllLines).ToList();
        Assert.Contains($"last {last}", ran);
        Assert.Equal(ran.Distinct(StringComparer.Ordinal), ran);
        Assert.All(
            Enumerable.Range(0, Sessions).Where(number => tried[number].Status == HttpStatusCode.OK),
            number => Assert.Contains($"run {number}", ran));
        Assert.All(
            tried.Where(static one => one.Status != HttpStatusCode.OK),
            static one => Assert.Contains(one.Code, new[] { "compute_offline", "provider_unavailable", "run_lost" }));
    }

    [Fact]
    public async Task A_machine_that_is_deleted_under_a_run_leaves_no_run_going_and_what_is_asked_of_it_then_says_what_to_do()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var session = await caller.CreateAsync(machine);
        var sleep = LentMachine.NewSleep();
        using var run = await caller.StartAsync(session, $"echo begun; sleep {sleep}");
        await run.PrintedAsync("begun\n");

        await caller.DeleteAsync($"/v2/computes/{machine.ComputeId}");
        await run.EndedAsync();
        var refused = await caller.TryRunAsync(session, "true");

        Assert.Equal("lost", (await caller.RecordAsync(run)).Status);
        Assert.Equal(1, await machine.Relay.EndedAsync());
        await Waiting.UntilAsync(() => !LentMachine.Runs(sleep));
        Assert.Contains(refused.Status, new[] { HttpStatusCode.ServiceUnavailable, HttpStatusCode.NotFound });
        Assert.Contains("POST …/compute", refused.Sentence, StringComparison.Ordinal);
    }

    private static string Numbered(string word, int count) => string.Concat(Enumerable.Range(1, count).Select(number => $"{word} {number}\n"));
}
