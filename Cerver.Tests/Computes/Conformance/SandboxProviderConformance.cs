using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;
using Cerver.Tests.Relays;
using Cerver.Tests.Runs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>What every provider must do beside that which says what its sandboxes can do: they are ours, their output comes while it is printed, and their programs can be stopped.</summary>
public abstract class SandboxProviderConformance : ComputeProviderConformance
{
    private const int MuchOutput = 50 * 1024 * 1024;

    private ISandboxProviderUnderTest Sandboxes => (ISandboxProviderUnderTest)Subject;

    [Fact]
    public async Task It_says_what_its_sandboxes_can_do() => Assert.NotNull((await Subject.DescribeAsync(Provider)).Capabilities);

    [Fact]
    public async Task The_network_is_there_for_a_sandbox_that_asked_for_it_and_for_no_other()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        var code = $"exec 3<>/dev/tcp/127.0.0.1/{((IPEndPoint)listener.LocalEndpoint).Port} && echo connected";
        await using var without = await OpenAsync();
        await using var with = await OpenAsync(Provider, network: true);

        Assert.True((await Subject.DescribeAsync(Provider)).Network);
        Assert.Equal("", (await without.RunAsync(code)).Text);
        Assert.Equal("connected\n", (await with.RunAsync(code)).Text);
    }

    [Fact]
    public async Task Where_its_operator_allows_no_network_it_says_so_and_opens_nothing_that_asks_for_it()
    {
        var provider = await Sandboxes.WithoutNetworkAsync();

        var refusal = await Assert.ThrowsAsync<CerverException>(() => OpenAsync(provider, network: true));
        await using var without = await OpenAsync(provider);

        Assert.False((await Subject.DescribeAsync(provider)).Network);
        Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
        Assert.Equal(0, (await without.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task A_program_goes_on_when_another_process_follows_it_where_it_says_so_and_ends_with_its_own_elsewhere()
    {
        var (sandboxId, runId, sleep) = (Ids.NewSandbox(TimeProvider.System), Ids.NewRun(TimeProvider.System), LentMachine.NewSleep());
        await using var sandbox = await OpenAsync(sandboxId);
        var process = await sandbox.StartAsync(
            Command($"echo before; sleep {sleep} & until [ -e go ]; do sleep 0.05; done; kill $!; echo after") with { RunId = runId }, CancellationToken.None);
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        var isLeft = sandbox.Detach();

        Assert.Equal(await CanAsync(ComputeFeatures.Reattach), isLeft);
        if (!isLeft)
        {
            Assert.Null(Sandboxes.Follow(sandboxId, runId));
            Assert.True(LentMachine.Runs(sleep));
            await sandbox.DisposeAsync();
            Assert.Null(await process.Exit);
            Assert.False(LentMachine.Runs(sleep));
            return;
        }

        await Assert.ThrowsAsync<RunDetachedException>(() => output.MoveNextAsync().AsTask());
        var (again, followed) = Sandboxes.Follow(sandboxId, runId)!.Value;
        Assert.True(LentMachine.Runs(sleep));
        Assert.Equal(0, (await again.RunAsync("touch go")).ExitCode);
        var run = await followed.FinishAsync();

        Assert.Equal((await CanAsync(ComputeFeatures.Replay) ? "before\nafter\n" : "after\n", 0), (run.Text, run.ExitCode));
    }

    [Fact]
    public async Task A_program_that_takes_too_long_is_gone_with_all_that_it_started_and_its_run_says_so()
    {
        await using var sandbox = await OpenAsync();
        var sleep = LentMachine.NewSleep();
        var run = new SandboxRun("run_x", $"trap '' TERM; sleep {sleep} & echo up; wait", SandboxRuntime.Shell, TimeSpan.FromSeconds(3), ImmutableDictionary<string, string>.Empty);
        var process = await sandbox.StartAsync(Command(run.Code) with { Timeout = run.Timeout }, CancellationToken.None);
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        var ended = await new RunRecorder(
            "session", run, process, new AccountTaints(), new RowsInMemory(), static () => { }, static _ => Task.CompletedTask, long.MaxValue, TimeProvider.System, NullLogger.Instance).RecordAsync().WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal((RunStatus.TimedOut, 137, "up\n"), (ended.Status, ended.ExitCode, ended.Output));
        Assert.False(LentMachine.Runs(sleep));
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task A_program_that_takes_too_long_while_nobody_follows_it_is_gone_all_the_same()
    {
        await using var sandbox = await OpenAsync();
        var sleep = LentMachine.NewSleep();
        await sandbox.StartAsync(Command($"trap '' TERM; sleep {sleep} & echo up; wait") with { Timeout = TimeSpan.FromSeconds(3) }, CancellationToken.None);
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        // Where nothing is left for others to follow, it has no more time than whoever started it.
        if (!sandbox.Detach())
        {
            await sandbox.DisposeAsync();
        }

        await Waiting.UntilAsync(() => !LentMachine.Runs(sleep));
    }

    [Fact]
    public async Task Both_outputs_arrive_apart_in_their_order_and_while_the_program_runs()
    {
        await using var sandbox = await OpenAsync();
        var process = await sandbox.StartAsync("echo one; until [ -e go ]; do sleep 0.05; done; echo two >&2; sleep 0.3; echo three");
        await using var output = process.Output.GetAsyncEnumerator();

        Assert.Equal(("one", OutputKind.Stdout), (await output.ReadLineAsync(), output.Current.Kind));
        await sandbox.RunAsync("touch go");

        Assert.Equal(("two", OutputKind.Stderr), (await output.ReadLineAsync(), output.Current.Kind));
        Assert.Equal(("three", OutputKind.Stdout), (await output.ReadLineAsync(), output.Current.Kind));
        Assert.False(await output.MoveNextAsync());
        Assert.Equal(0, await process.Exit);
    }

    [Fact]
    public async Task Every_byte_arrives_as_it_was_printed()
    {
        await using var sandbox = await OpenAsync();

        var run = await sandbox.RunAsync(string.Concat(Enumerable.Range(0, 256).Select(static i => $"printf '\\{Convert.ToString(i, 8)}'\n")));

        Assert.Equal([.. Enumerable.Range(0, 256).Select(static i => (byte)i)], run.Stdout);
    }

    [Fact]
    public async Task Much_output_arrives_complete()
    {
        await using var sandbox = await OpenAsync();

        var run = await sandbox.RunAsync($"head -c {MuchOutput} /dev/urandom > much; cat much; sha256sum much >&2");

        Assert.Equal(MuchOutput, run.Stdout.Length);
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(run.Stdout)), run.ErrorText, StringComparison.Ordinal);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task A_program_that_is_asked_to_end_may_clean_up()
    {
        await using var sandbox = await OpenAsync();
        var process = await sandbox.StartAsync("trap 'echo bye; exit 3' TERM; echo up; while true; do sleep 0.05; done");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        process.Stop(TimeSpan.FromSeconds(30));

        // A shell says on the other output that its child was terminated.
        var last = "";
        while (last != "bye")
        {
            last = await output.ReadLineAsync();
        }

        Assert.Equal(3, await process.Exit);
    }

    [Fact]
    public async Task A_program_that_does_not_want_to_end_is_killed_with_all_that_it_started()
    {
        await using var sandbox = await OpenAsync();
        var process = await sandbox.StartAsync("trap '' TERM; (while true; do touch alive; sleep 0.05; done) & echo up; wait");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        process.Stop(TimeSpan.FromMilliseconds(200));

        Assert.False(await output.MoveNextAsync());
        Assert.Equal(137, await process.Exit);
        var run = await sandbox.RunAsync("rm -f alive; sleep 0.5; [ -e alive ] && echo alive; true");
        Assert.Equal(("", 0), (run.Text, run.ExitCode));
    }

    [Fact]
    public async Task Stopping_is_fine_at_any_time_and_any_number_of_times()
    {
        await using var sandbox = await OpenAsync();
        var early = await sandbox.StartAsync("sleep 1000");
        early.Stop(TimeSpan.Zero);
        early.Stop(TimeSpan.FromSeconds(1));
        var late = await sandbox.StartAsync("exit 4");
        var finished = await late.FinishAsync();
        late.Stop(TimeSpan.Zero);

        Assert.Equal((137, 4), ((await early.FinishAsync()).ExitCode, finished.ExitCode));
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task Files_outlive_the_sandbox_until_they_are_removed_which_may_be_repeated()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using (var first = await OpenAsync(sandboxId))
        {
            await first.RunAsync("echo kept > file");
        }

        await using (var second = await OpenAsync(sandboxId))
        {
            Assert.Equal("kept\n", (await second.RunAsync("cat file")).Text);
        }

        Assert.True(await CanAsync(ComputeFeatures.Pause));
        Assert.Contains(sandboxId, await Provider.ListAsync(CancellationToken.None));
        await Provider.RemoveAsync(sandboxId, CancellationToken.None);
        await Provider.RemoveAsync(sandboxId, CancellationToken.None);
        Assert.DoesNotContain(sandboxId, await Provider.ListAsync(CancellationToken.None));

        await using var third = await OpenAsync(sandboxId);
        Assert.Equal("none\n", (await third.RunAsync("cat file 2>/dev/null || echo none")).Text);
    }

    [Fact]
    public async Task What_is_set_aside_is_gone_at_once_and_erased_later()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using (var sandbox = await OpenAsync(sandboxId))
        {
            await sandbox.RunAsync("echo old > file");
        }

        await Provider.SetAsideAsync(sandboxId, CancellationToken.None);
        Assert.DoesNotContain(sandboxId, await Provider.ListAsync(CancellationToken.None));
        await Provider.EraseAsync(CancellationToken.None);
        await Provider.SetAsideAsync(Ids.NewSandbox(TimeProvider.System), CancellationToken.None);

        await using var again = await OpenAsync(sandboxId);
        Assert.Equal("none\n", (await again.RunAsync("cat file 2>/dev/null || echo none")).Text);
    }

    [Fact]
    public async Task A_sandbox_is_closed_once_and_for_all_its_programs()
    {
        var sandbox = await OpenAsync();
        var process = await sandbox.StartAsync("echo up; sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        await sandbox.DisposeAsync();
        await sandbox.DisposeAsync();

        Assert.Null(await process.Exit);
        await sandbox.Closed;
        await Assert.ThrowsAsync<SandboxDownException>(() => sandbox.StartAsync("true"));
    }

    [Fact]
    public async Task A_sandbox_that_is_lost_is_closed_and_what_ran_in_it_has_no_exit_code()
    {
        await using var sandbox = await OpenAsync();
        var process = await sandbox.StartAsync("echo up; sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        await Sandboxes.LoseAsync(sandbox);

        Assert.False(await output.MoveNextAsync());
        Assert.Null(await process.Exit);
        await sandbox.Closed;
        await Assert.ThrowsAsync<SandboxDownException>(() => sandbox.StartAsync("true"));
    }

    [Fact]
    public async Task A_sandbox_that_is_up_is_found_as_it_is_where_programs_outlive_the_gateway_and_is_opened_once_elsewhere()
    {
        var (sandboxId, sleep) = (Ids.NewSandbox(TimeProvider.System), LentMachine.NewSleep());
        await using var sandbox = await OpenAsync(sandboxId);
        await sandbox.StartAsync($"touch file; sleep {sleep}");

        // The shell that has the code among its arguments is there before.
        await Waiting.UntilAsync(() => LentMachine.Sleeps(sleep));

        var same = sandbox;
        if (await CanAsync(ComputeFeatures.Reattach))
        {
            same = await OpenAsync(sandboxId);
        }
        else
        {
            Assert.Equal(CerverError.ProviderUnavailable, (await Assert.ThrowsAsync<CerverException>(() => OpenAsync(sandboxId))).Code);
        }

        var found = await same.RunAsync($"[ -e file ] && pgrep -f '^sleep {sleep}$' | wc -l");
        Assert.Equal(("1\n", 0), (found.Text, found.ExitCode));
    }

    [Fact]
    public async Task A_sandbox_that_is_up_ends_when_it_is_removed_where_programs_outlive_the_gateway_and_is_not_removed_elsewhere()
    {
        var (sandboxId, sleep) = (Ids.NewSandbox(TimeProvider.System), LentMachine.NewSleep());
        await using var sandbox = await OpenAsync(sandboxId);
        var process = await sandbox.StartAsync($"touch file; sleep {sleep}");
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        if (!await CanAsync(ComputeFeatures.Reattach))
        {
            Assert.Equal(CerverError.ProviderUnavailable, (await Assert.ThrowsAsync<CerverException>(() => Provider.RemoveAsync(sandboxId, CancellationToken.None))).Code);
            Assert.True(LentMachine.Runs(sleep));
            Assert.Equal(0, (await sandbox.RunAsync("[ -e file ]")).ExitCode);
            return;
        }

        await Provider.RemoveAsync(sandboxId, CancellationToken.None);

        Assert.False(LentMachine.Runs(sleep));
        await Assert.ThrowsAsync<SandboxDownException>(() => sandbox.StartAsync("true"));
        await sandbox.Closed.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Null(await process.Exit.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.DoesNotContain(sandboxId, await Provider.ListAsync(CancellationToken.None));
        await using var again = await OpenAsync(sandboxId);
        Assert.Equal(1, (await again.RunAsync("[ -e file ]")).ExitCode);
    }

    [Fact]
    public async Task One_that_has_no_room_left_says_so_and_has_it_again_afterwards()
    {
        var provider = await Sandboxes.WithRoomForOneAsync();
        var first = await OpenAsync(provider);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => OpenAsync(provider));
        await first.DisposeAsync();
        await using var next = await OpenAsync(provider);

        Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await next.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task Code_that_is_too_much_and_variables_that_no_process_can_have_are_refused_and_nothing_else_happens()
    {
        await using var sandbox = await OpenAsync();

        var tooMuch = await Assert.ThrowsAsync<CerverException>(() => sandbox.StartAsync(new string('#', 1 << 20)));
        var noName = await Assert.ThrowsAsync<CerverException>(() => sandbox.StartAsync("true", variables: ("A=B", "x")));

        Assert.Equal((CerverError.PayloadTooLarge, CerverError.InvalidRequest), (tooMuch.Code, noName.Code));
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }
}
