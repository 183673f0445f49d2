using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Runs;

namespace Cerver.Tests.Computes;

public sealed class LocalSandboxRunTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    [Fact]
    public async Task Both_outputs_arrive_apart_and_complete()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("echo out; echo err >&2; echo out again");

        Assert.Equal("out\nout again\n", run.Text);
        Assert.Equal("err\n", run.ErrorText);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Output_arrives_while_the_program_runs_and_in_the_order_it_was_printed()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("echo one; until [ -e go ]; do sleep 0.01; done; echo two >&2; sleep 0.1; echo three");
        await using var output = process.Output.GetAsyncEnumerator();

        Assert.Equal("one", await output.ReadLineAsync());
        await sandbox.RunAsync("touch go");

        Assert.Equal("two", await output.ReadLineAsync());
        Assert.Equal(OutputKind.Stderr, output.Current.Kind);
        Assert.Equal("three", await output.ReadLineAsync());
        Assert.False(await output.MoveNextAsync());
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("exit 255", 255)]
    [InlineData("kill -TERM $$", 128 + 15)]
    [InlineData("kill -KILL $$", 128 + 9)]
    [InlineData("kill -SEGV $$", 128 + 11)]
    [InlineData("no-such-program", 127)]
    [InlineData("if", 2)]
    public async Task The_exit_code_is_the_programs_own_or_tells_the_signal(string code, int exitCode)
    {
        await using var sandbox = await fixture.OpenAsync();

        Assert.Equal(exitCode, (await sandbox.RunAsync(code)).ExitCode);
    }

    [Theory]
    [InlineData(SandboxRuntime.Shell, "echo \"grüße 🦊\"")]
    [InlineData(SandboxRuntime.Node, "console.log('grüße 🦊')")]
    [InlineData(SandboxRuntime.Python, "print('grüße 🦊')")]
    public async Task Every_runtime_executes_its_language_and_prints_utf8(SandboxRuntime runtime, string code)
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync(code, runtime);

        Assert.Equal("grüße 🦊\n", run.Text);
        Assert.Equal("", run.ErrorText);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Every_byte_value_arrives_as_it_was_printed()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("import sys; sys.stdout.buffer.write(bytes(range(256)))", SandboxRuntime.Python);

        Assert.Equal([.. Enumerable.Range(0, 256).Select(i => (byte)i)], run.Stdout);
    }

    [Fact]
    public async Task A_program_whose_output_nobody_takes_waits_and_can_be_stopped()
    {
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("cat /dev/zero");
        var output = process.Output.GetAsyncEnumerator();
        Assert.True(await output.MoveNextAsync());

        process.Stop(TimeSpan.Zero);
        await output.DisposeAsync();

        Assert.Equal(137, await process.Exit);
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }

    [Theory]
    [InlineData(SandboxRuntime.Shell, "#", "echo \"$(basename \"$PWD\") $(head -c 3) ok\"")]
    [InlineData(SandboxRuntime.Node, "//", "console.log(require('./part').name, 'ok')")]
    [InlineData(SandboxRuntime.Python, "#", "import part; print(part.name, 'ok')")]
    public async Task Code_of_200_kibibytes_runs_like_short_code(SandboxRuntime runtime, string comment, string code)
    {
        await using var sandbox = await fixture.OpenAsync();
        await sandbox.RunAsync("echo \"exports.name = 'part'\" > part.js; echo \"name = 'part'\" > part.py");
        var filler = string.Concat(Enumerable.Repeat($"{comment}{new string('é', 49)}\n", 2048));

        var run = await sandbox.RunAsync($"{filler}{code}\n", runtime);
        var brief = await sandbox.RunAsync(code, runtime);

        Assert.Equal("", run.ErrorText);
        Assert.EndsWith("ok\n", run.Text, StringComparison.Ordinal);
        Assert.Equal(brief.Text, run.Text);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Long_code_leaves_no_open_file_to_the_program()
    {
        const string Code = "ls -l /proc/self/fd | grep -c memfd";
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync($"{Code}\n#{new string('x', 120_000)}");

        Assert.Equal("0\n", run.Text);
    }

    [Fact]
    public async Task The_environment_is_the_sandboxes_own_and_the_runs_variables_win()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("env | grep -v '^SHLVL=\\|^_=' | sort", variables: [("LANG", "C"), ("GREETING", "hé=llo\nworld"), ("PATH", "/usr/bin:/bin")]);

        Assert.Equal(
            "GREETING=hé=llo\nHOME=/workspace\nLANG=C\nLOGNAME=sandbox\nPATH=/usr/bin:/bin\nPWD=/workspace\nSHELL=/bin/bash\nUSER=sandbox\nworld\n",
            run.Text);
    }

    [Fact]
    public async Task Variables_and_code_of_a_run_stand_on_no_command_line_of_this_machine_but_its_own()
    {
        var secret = Guid.NewGuid().ToString("n");
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync("echo up; sleep 100", variables: ("TOKEN", secret));
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        var commandLines = HostProcesses.All().Select(p => p.CommandLine).ToArray();

        Assert.Contains(commandLines, line => line.Contains("sandbox-init.pl", StringComparison.Ordinal));
        Assert.DoesNotContain(commandLines, line => line.Contains(secret, StringComparison.Ordinal));
        process.Stop(TimeSpan.Zero);
    }

    [Fact]
    public async Task Several_run_at_once()
    {
        await using var sandbox = await fixture.OpenAsync();

        // Each waits for all others: one after another they would never end.
        var runs = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            sandbox.RunAsync($"touch here.{i}; until [ $(ls here.* | wc -l) = 20 ]; do sleep 0.02; done; echo {i}; exit {i}")));

        Assert.All(runs, (run, i) => Assert.Equal(($"{i}\n", i), (run.Text, run.ExitCode)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("A=B")]
    [InlineData("A\0B")]
    public async Task A_variable_that_no_process_can_have_is_refused_and_nothing_else_happens(string name)
    {
        await using var sandbox = await fixture.OpenAsync();

        var refusal = await Assert.ThrowsAsync<CerverException>(() => sandbox.RunAsync("true", variables: (name, "x")));

        Assert.Equal(CerverError.InvalidRequest, refusal.Code);
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task Code_and_environment_beyond_the_limit_are_refused()
    {
        await using var sandbox = await fixture.OpenAsync();

        var refusal = await Assert.ThrowsAsync<CerverException>(() => sandbox.RunAsync(new string('#', 1 << 20)));

        Assert.Equal(CerverError.PayloadTooLarge, refusal.Code);
    }

    [Theory]
    [InlineData("git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log --oneline | wc -l")]
    [InlineData("printf 'int main(){return 0;}' > a.c && gcc a.c -o a && ./a && echo 1")]
    [InlineData("node -e \"require('child_process').execSync('true'); require('fs').writeFileSync('n', '1'); console.log(1)\"")]
    [InlineData("python3 -c \"import subprocess, threading, ssl; t = threading.Thread(target=lambda: subprocess.run(['true'])); t.start(); t.join(); print(1)\"")]
    [InlineData("getent passwd $(id -u) | grep -c '^sandbox:x:1000:'")]
    [InlineData("yes | head -n 1 | wc -l")]
    public async Task Everyday_tools_work(string code)
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync(code);

        Assert.Equal(("1\n", "", 0), (run.Text, run.ErrorText, run.ExitCode));
    }
}
