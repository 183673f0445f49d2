using System.Security.Cryptography;
using System.Text;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Runs;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>What every provider must do, whatever its sandboxes are. Each provider has a class of tests that says how to make one.</summary>
public abstract class ComputeProviderConformance : IAsyncLifetime
{
    private const int MuchOutput = 50 * 1024 * 1024;

    private IProviderUnderTest _subject = null!;

    private IComputeProvider Provider => _subject.Provider;

    public async Task InitializeAsync() => _subject = await CreateAsync();

    public Task DisposeAsync() => _subject.DisposeAsync().AsTask();

    [Fact]
    public async Task It_is_ready_and_says_what_it_is()
    {
        var info = await _subject.DescribeAsync(Provider);

        Assert.Equal((ComputeStatus.Ready, null), (info.Status, info.Reason));
        Assert.Equal(Provider.Name, info.Provider);
        Assert.Contains(SandboxRuntime.Shell, info.Runtimes);
    }

    [Theory]
    [InlineData("true", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("exit 255", 255)]
    [InlineData("kill -TERM $$", 128 + 15)]
    [InlineData("kill -KILL $$", 128 + 9)]
    [InlineData("no-such-program", 127)]
    public async Task The_exit_code_is_the_programs_own_or_tells_the_signal(string code, int exitCode)
    {
        await using var sandbox = await OpenAsync();

        Assert.Equal(exitCode, (await sandbox.RunAsync(code)).ExitCode);
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
    public async Task Code_and_output_are_utf8_and_every_byte_arrives_as_it_was_printed()
    {
        await using var sandbox = await OpenAsync();

        var text = await sandbox.RunAsync("echo 'grüße 🦊'");
        var bytes = await sandbox.RunAsync(string.Concat(Enumerable.Range(0, 256).Select(static i => $"printf '\\{Convert.ToString(i, 8)}'\n")));

        Assert.Equal("grüße 🦊\n", text.Text);
        Assert.Equal([.. Enumerable.Range(0, 256).Select(static i => (byte)i)], bytes.Stdout);
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
    public async Task Much_code_is_executed_like_little()
    {
        await using var sandbox = await OpenAsync();

        var run = await sandbox.RunAsync($"{string.Concat(Enumerable.Repeat($"#{new string('é', 100)}\n", 1_000))}echo ok");

        Assert.Equal(("ok\n", 0), (run.Text, run.ExitCode));
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
    public async Task Several_run_at_once_in_the_same_files()
    {
        await using var sandbox = await OpenAsync();

        // Each waits for all others: one after another they would never end.
        var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            sandbox.RunAsync($"touch here.{i}; until [ $(ls here.* | wc -l) = 8 ]; do sleep 0.05; done; echo {i}; exit {i}")));

        Assert.All(runs, static (run, i) => Assert.Equal(($"{i}\n", i), (run.Text, run.ExitCode)));
    }

    [Fact]
    public async Task Variables_reach_the_program_and_no_other()
    {
        await using var sandbox = await OpenAsync();

        var with = await sandbox.RunAsync("printf '%s' \"$GREETING\"", variables: ("GREETING", "hé=llo\n'\"$(false) \\ world"));
        var without = await sandbox.RunAsync("printf '%s' \"$GREETING\"");

        Assert.Equal(("hé=llo\n'\"$(false) \\ world", ""), (with.Text, without.Text));
    }

    [Fact]
    public async Task Two_sandboxes_do_not_share_their_files()
    {
        await using var one = await OpenAsync();
        await using var other = await OpenAsync();

        await one.RunAsync("echo mine > file");

        Assert.Equal("none\n", (await other.RunAsync("cat file 2>/dev/null || echo none")).Text);
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

        await _subject.LoseAsync(sandbox);

        Assert.False(await output.MoveNextAsync());
        Assert.Null(await process.Exit);
        await sandbox.Closed;
        await Assert.ThrowsAsync<SandboxDownException>(() => sandbox.StartAsync("true"));
    }

    [Fact]
    public async Task A_sandbox_is_open_once_and_not_removed_meanwhile_or_is_found_open()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await OpenAsync(sandboxId);
        if (await CanAsync(ComputeFeatures.Reattach))
        {
            await sandbox.RunAsync("touch file");
            var same = await OpenAsync(sandboxId);
            Assert.Equal(0, (await same.RunAsync("[ -e file ]")).ExitCode);
            return;
        }

        var opened = await Assert.ThrowsAsync<CerverException>(() => OpenAsync(sandboxId));
        var removed = await Assert.ThrowsAsync<CerverException>(() => Provider.RemoveAsync(sandboxId, CancellationToken.None));

        Assert.Equal((CerverError.ProviderUnavailable, CerverError.ProviderUnavailable), (opened.Code, removed.Code));
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task One_that_has_no_room_left_says_so_and_has_it_again_afterwards()
    {
        var provider = await _subject.WithRoomForOneAsync();
        var first = await OpenAsync(provider);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => OpenAsync(provider));
        await first.DisposeAsync();
        await using var next = await OpenAsync(provider);

        Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await next.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task One_that_is_not_let_in_says_what_it_lacks_and_opens_nothing()
    {
        var provider = await _subject.WithoutAccessAsync();

        var info = await _subject.DescribeAsync(provider);
        var refusal = await Assert.ThrowsAsync<CerverException>(() => OpenAsync(provider));

        Assert.NotEqual(ComputeStatus.Ready, info.Status);
        Assert.EndsWith(".", info.Reason, StringComparison.Ordinal);
        Assert.Contains(refusal.Code, (CerverError[])[CerverError.ProviderUnavailable, CerverError.HostUnavailable, CerverError.ComputeOffline]);
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

    /// <summary>Makes what is tested.</summary>
    private protected abstract Task<IProviderUnderTest> CreateAsync();

    private Task<ISandbox> OpenAsync(string? sandboxId = null) => OpenAsync(Provider, sandboxId);

    private static Task<ISandbox> OpenAsync(IComputeProvider provider, string? sandboxId = null) =>
        provider.OpenAsync(new SandboxSpec(sandboxId ?? Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);

    /// <summary>What it says of its sandboxes.</summary>
    private async Task<bool> CanAsync(ComputeFeatures feature) => (await _subject.DescribeAsync(Provider)).Capabilities!.Features.HasFlag(feature);
}
