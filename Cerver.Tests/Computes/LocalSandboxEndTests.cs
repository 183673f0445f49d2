using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;

namespace Cerver.Tests.Computes;

public sealed class LocalSandboxEndTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    /// <summary>Leaves a grandchild of its own session behind, which hears no SIGTERM, and tells its id.</summary>
    private const string Daemonise =
        "setsid bash -c 'trap \"\" TERM; (trap \"\" TERM; setsid sleep 1000 & echo daemon $!)' ; ";

    /// <summary>Waits until a process is gone; the wait itself is bounded.</summary>
    private static string UntilGone(string id) => $"timeout 10 bash -c 'while kill -0 {id} 2>/dev/null; do sleep 0.02; done'";

    [Fact]
    public async Task A_stop_ends_the_program_with_sigterm_first()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("exec 2>/dev/null; trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.01; done");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        process.Stop(TimeSpan.FromMinutes(5));

        Assert.Equal("asked", await output.ReadLineAsync());
        Assert.Equal(3, await process.Exit);
    }

    [Fact]
    public async Task A_program_that_does_not_hear_sigterm_is_killed_when_the_grace_is_over()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("trap '' TERM; echo up; while :; do sleep 0.01; done");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        process.Stop(TimeSpan.FromMilliseconds(50));

        Assert.Equal(137, await process.Exit);
    }

    [Fact]
    public async Task A_second_stop_shortens_the_grace_and_a_third_changes_nothing()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("trap '' TERM; echo up; while :; do sleep 0.01; done");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        process.Stop(TimeSpan.FromHours(5));
        process.Stop(TimeSpan.Zero);
        process.Stop(TimeSpan.FromHours(5));

        Assert.Equal(137, await process.Exit);
        process.Stop(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_stop_right_after_the_start_is_not_lost()
    {
        await using var sandbox = await fixture.OpenAsync();

        for (var i = 0; i < 30; i++)
        {
            var process = await sandbox.StartAsync("sleep 1000");
            process.Stop(TimeSpan.FromMinutes(5));
            Assert.Equal(128 + 15, await process.Exit);
        }
    }

    [Fact]
    public async Task A_stop_reaches_what_daemonised_and_hears_no_sigterm()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync($"{Daemonise} sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        var daemon = (await output.ReadLineAsync())["daemon ".Length..];

        // The program ends at once, what it left behind must follow when the grace is over.
        process.Stop(TimeSpan.FromMilliseconds(100));

        Assert.Equal(128 + 15, await process.Exit);
        Assert.Equal(0, (await sandbox.RunAsync(UntilGone(daemon))).ExitCode);
    }

    [Fact]
    public async Task A_fork_bomb_can_be_stopped()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("exec 2>/dev/null; bomb() { bomb | bomb & }; bomb; echo lit; sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        process.Stop(TimeSpan.Zero);

        Assert.Equal(137, await process.Exit);
        Assert.Equal(0, (await sandbox.RunAsync("timeout 10 bash -c 'while [ $(ls -d /proc/[0-9]* | wc -l) -gt 12 ]; do sleep 0.05; done'")).ExitCode);
    }

    [Fact]
    public async Task A_server_left_in_the_background_outlives_its_run_and_ends_with_the_sandbox()
    {
        await using var sandbox = await fixture.OpenAsync();
        var started = await sandbox.RunAsync("python3 -m http.server 8099 --bind 127.0.0.1 & echo $!");
        Assert.Equal(0, started.ExitCode);

        var asked = await sandbox.RunAsync(
            "timeout 10 bash -c 'until exec 3<>/dev/tcp/127.0.0.1/8099; do sleep 0.05; done 2>/dev/null; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; head -n 1 <&3'");

        Assert.Equal("HTTP/1.0 200 OK\r\n", asked.Text);
        var tree = HostProcesses.Tree(((LocalSandbox)sandbox).ContainerId);
        Assert.Contains(tree, p => p.CommandLine.Contains("http.server", StringComparison.Ordinal));
        await sandbox.DisposeAsync();
        Assert.DoesNotContain(HostProcesses.All(), p => tree.Contains(p));
    }

    [Fact]
    public async Task A_run_ends_with_its_program_though_its_output_stays_open()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("(while :; do echo noise || exit; sleep 0.01; done) & echo $! > id; echo done; exit 4");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("done\n", run.Text, StringComparison.Ordinal);
        Assert.Equal(0, (await sandbox.RunAsync("sleep 0.2; kill -0 $(cat id)")).ExitCode);
    }

    [Fact]
    public async Task A_stop_after_the_end_leaves_what_runs_in_the_background_alone()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("sleep 1000 & echo $! > id");
        Assert.Equal(0, (await process.FinishAsync()).ExitCode);

        process.Stop(TimeSpan.Zero);

        Assert.Equal(0, (await sandbox.RunAsync("sleep 0.1; kill -0 $(cat id)")).ExitCode);
    }

    [Theory]
    [InlineData("kill -9 -1; exit 5", 137)]
    [InlineData("kill -TERM -1; exit 8", 8)]
    [InlineData("trap 'exit 6' TERM; kill 0", 6)]
    [InlineData("kill -9 $PPID; sleep 1000", 137)]
    [InlineData("kill -9 1; kill -TERM 1; kill -STOP 1; exit 7", 7)]
    public async Task Whatever_a_program_signals_its_run_ends_and_the_sandbox_lives(string code, int exitCode)
    {
        await using var sandbox = await fixture.OpenAsync();

        Assert.Equal(exitCode, (await sandbox.RunAsync(code)).ExitCode);

        Assert.Equal("alive\n", (await sandbox.RunAsync("echo alive")).Text);
    }

    [Fact]
    public async Task A_program_that_stops_its_supervisor_can_still_be_killed()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("kill -STOP $PPID; echo stopped; while :; do kill -STOP $PPID; done");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        process.Stop(TimeSpan.Zero);

        Assert.Equal(137, await process.Exit);
    }

    [Fact]
    public async Task What_a_program_leaves_behind_dies_with_a_supervisor_that_it_killed()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("setsid sleep 1000 & echo $!; kill -9 $PPID; sleep 1000");

        Assert.Equal(137, run.ExitCode);
        Assert.Equal(0, (await sandbox.RunAsync(UntilGone(run.Text.Trim()))).ExitCode);
    }

    [Fact]
    public async Task When_the_container_dies_its_programs_have_no_exit_code_and_the_sandbox_is_closed()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("echo up; sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        using (var container = System.Diagnostics.Process.GetProcessById(((LocalSandbox)sandbox).ContainerId))
        {
            container.Kill();
        }

        Assert.False(await output.MoveNextAsync());
        Assert.Null(await process.Exit);
        await sandbox.Closed;
        await Assert.ThrowsAsync<SandboxDownException>(() => sandbox.RunAsync("true"));
        process.Stop(TimeSpan.Zero);
    }

    [Fact]
    public async Task Disposing_ends_every_program_and_can_be_repeated()
    {
        var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync($"{Daemonise} echo up; sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();
        var tree = HostProcesses.Tree(((LocalSandbox)sandbox).ContainerId);

        await sandbox.DisposeAsync();
        await sandbox.DisposeAsync();

        Assert.Null(await process.Exit);
        Assert.True(sandbox.Closed.IsCompletedSuccessfully);
        Assert.True(tree.Length >= 5);
        Assert.DoesNotContain(HostProcesses.All(), p => tree.Contains(p));
    }
}
