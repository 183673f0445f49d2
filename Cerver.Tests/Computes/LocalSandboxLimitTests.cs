using System.Globalization;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;
using Cerver.Runs;

namespace Cerver.Tests.Computes;

/// <summary>Limits that are kept without control groups, which few machines that test have.</summary>
public sealed class LocalSandboxLimitTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    /// <summary>Asks for 16 MiB at a time, with zeros in all of it, and says when it gets no more.</summary>
    private const string Eat =
        """
        import sys
        held = []
        try:
          while True: held.append(bytearray(b'x' * (1 << 24)))
        except MemoryError:
          del held
          print('no more', flush=True)
          sys.exit(7)
        """;

    [Fact]
    public async Task A_compute_says_what_holds_each_of_its_limits()
    {
        await using var provider = await CreateAsync(new() { MemoryBytes = 1 << 30, DiskBytes = 1 << 29, MaxProcesses = 100, Cpus = 1.5 });

        var capabilities = provider.Describe().Capabilities!;

        Assert.Equal(
            new ComputeCapabilities(
                ComputeFeatures.Pause | ComputeFeatures.Files,
                Memory: new(ComputeHold.Watch, 1 << 30),
                Cpu: new(ComputeHold.Affinity, 2),
                Processes: new(ComputeHold.Rlimit, 100),
                Disk: new(ComputeHold.Watch, 1 << 29)),
            capabilities);
    }

    [Theory]
    [InlineData(0, 1024)]
    [InlineData(1, 1024)]
    [InlineData(1024, 1024)]
    [InlineData(0, 0.5)]
    [InlineData(0, 2)]
    public async Task A_sandbox_has_so_many_processors_and_programs_cannot_take_more(int spare, double most)
    {
        await using var provider = await CreateAsync(new() { SpareCpus = spare, Cpus = most });
        await using var sandbox = await OpenAsync(provider);

        var run = await sandbox.RunAsync(
            """
            import os
            print(len(os.sched_getaffinity(0)))
            try: os.sched_setaffinity(0, range(os.cpu_count()))
            except PermissionError: print('refused')
            """,
            SandboxRuntime.Python);

        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{Math.Min(Math.Max(Environment.ProcessorCount - spare, 1), Math.Ceiling(most))}\nrefused\n"), run.Text);
    }

    [Fact]
    public async Task One_process_gets_no_more_memory_than_the_sandbox_may_have()
    {
        await using var provider = await CreateAsync(new() { MemoryBytes = 1 << 28 });
        await using var sandbox = await OpenAsync(provider);

        var run = await sandbox.RunAsync(Eat, SandboxRuntime.Python);

        Assert.Equal(("no more\n", 7), (run.Text, run.ExitCode));
        Assert.Equal("alive\n", (await sandbox.RunAsync("echo alive")).Text);
    }

    [Fact]
    public async Task Processes_that_together_have_too_much_end_with_a_line_that_says_which_limit_it_was()
    {
        await using var provider = await CreateAsync(new() { MemoryBytes = 1 << 28 });
        await using var sandbox = await OpenAsync(provider);

        var run = await sandbox.RunAsync(
            "import os, time\nfor i in range(4):\n  if os.fork() == 0:\n    held = bytearray(b'x' * (96 << 20))\n    time.sleep(1000)\ntime.sleep(1000)", SandboxRuntime.Python);

        Assert.Equal(137, run.ExitCode);
        Assert.Equal(SandboxLimitWords.Memory(1 << 28), run.ErrorText);
        await sandbox.Closed;
    }

    [Fact]
    public async Task Files_that_are_only_memory_count_though_nobody_has_mapped_them()
    {
        await using var provider = await CreateAsync(new() { MemoryBytes = 1 << 28 });
        await using var sandbox = await OpenAsync(provider);

        var run = await sandbox.RunAsync(
            "import os, time\nf = os.memfd_create('x')\nfor i in range(40):\n  os.write(f, b'x' * (1 << 23))\ntime.sleep(1000)", SandboxRuntime.Python);

        Assert.Equal((137, SandboxLimitWords.Memory(1 << 28)), (run.ExitCode, run.ErrorText));
    }

    [Fact]
    public async Task Memory_that_processes_share_counts_once()
    {
        await using var provider = await CreateAsync(new() { MemoryBytes = 1 << 28 });
        await using var sandbox = await OpenAsync(provider);

        // Six times 100 MiB by what each has, and 100 MiB by what there is. Two intervals pass for certain within as many runs of the watch.
        var run = await sandbox.RunAsync(
            "import os, time\nheld = bytearray(b'x' * (100 << 20))\nfor i in range(5):\n  if os.fork() == 0:\n    time.sleep(0.5)\n    os._exit(0)\ntime.sleep(0.5)\nprint('whole')", SandboxRuntime.Python);

        Assert.Equal(("whole\n", 0), (run.Text, run.ExitCode));
    }

    [Fact]
    public async Task Files_that_take_too_much_room_end_the_sandbox_which_comes_up_again_to_be_cleaned_up()
    {
        await using var provider = await CreateAsync(new() { DiskBytes = 1 << 24 });
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await OpenAsync(provider, sandboxId);

        var run = await sandbox.RunAsync("for i in $(seq 20); do head -c 2000000 /dev/zero > $i; done; sleep 1000");
        await sandbox.Closed;

        Assert.Equal((137, SandboxLimitWords.Disk(1 << 24)), (run.ExitCode, run.ErrorText));
        await using (var full = await OpenAsync(provider, sandboxId))
        {
            var more = await full.RunAsync("head -c 100 /dev/zero > more; stat -c %s more; rm -f [0-9]* && echo removed");
            Assert.Equal("0\nremoved\n", more.Text);
        }

        await using var clean = await OpenAsync(provider, sandboxId);
        Assert.Equal("1000000\n", (await clean.RunAsync("head -c 1000000 /dev/zero > more; stat -c %s more")).Text);
    }

    [Fact]
    public async Task Files_that_have_no_name_any_more_count_as_long_as_they_are_open()
    {
        await using var provider = await CreateAsync(new() { DiskBytes = 1 << 24 });
        await using var sandbox = await OpenAsync(provider);

        var run = await sandbox.RunAsync("exec 3> hidden; rm hidden; head -c 40000000 /dev/zero >&3; sleep 1000");

        Assert.Equal((137, SandboxLimitWords.Disk(1 << 24)), (run.ExitCode, run.ErrorText));
    }

    [Fact]
    public async Task Links_are_not_followed_when_files_are_measured()
    {
        var outside = Path.Combine(fixture.DataDirectory, "outside");
        await File.WriteAllBytesAsync(outside, new byte[1 << 25]);
        await using var provider = await CreateAsync(new() { DiskBytes = 1 << 24 });
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await OpenAsync(provider, sandboxId);

        // What is written last is over, and the only reason for the end: the links were there for several measurements before.
        var run = await sandbox.RunAsync($"ln -s / root; ln -s '{outside}' file; ln -s . self; sleep 0.5; echo small; head -c 30000000 /dev/zero > big; sleep 1000");

        Assert.Equal(("small\n", SandboxLimitWords.Disk(1 << 24)), (run.Text, run.ErrorText));
    }

    [Theory]
    [InlineData(SandboxRuntime.Node, "console.log(new Array(10).fill(7).length)")]
    [InlineData(SandboxRuntime.Python, "print(10)")]
    [InlineData(SandboxRuntime.Shell, "echo 10")]
    public async Task Every_runtime_starts_with_the_least_memory_that_can_be_set(SandboxRuntime runtime, string code)
    {
        await using var provider = await CreateAsync(new() { MemoryBytes = 1 << 27 });
        await using var sandbox = await OpenAsync(provider);

        var run = await sandbox.RunAsync(code, runtime);

        Assert.Equal(("10\n", 0), (run.Text, run.ExitCode));
    }

    [Fact]
    public async Task A_file_becomes_no_larger_than_it_may()
    {
        await using var provider = await CreateAsync(new() { MaxFileBytes = 1 << 20 });
        await using var sandbox = await OpenAsync(provider);

        var run = await sandbox.RunAsync("head -c 2000000 /dev/zero > big; stat -c %s big");

        Assert.Equal((1 << 20).ToString(CultureInfo.InvariantCulture) + "\n", run.Text);
        Assert.Contains("File size limit exceeded", run.ErrorText, StringComparison.OrdinalIgnoreCase);
    }

    private static Task<ISandbox> OpenAsync(LocalComputeProvider provider, string? sandboxId = null) =>
        provider.OpenAsync(new(sandboxId ?? Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);

    private async Task<LocalComputeProvider> CreateAsync(LocalComputeOptions options)
    {
        options.UseCgroups = false;
        options.WatchInterval = TimeSpan.FromMilliseconds(50);
        var provider = fixture.CreateProvider(options);
        await provider.ProbeAsync(CancellationToken.None);
        Assert.Null(provider.Describe().Reason);
        return provider;
    }
}
