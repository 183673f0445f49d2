using System.Collections.Concurrent;
using System.Globalization;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;
using Cerver.Runs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Computes;

/// <summary>
/// What is written where, with files in the place of the kernel's: few machines that test let control groups be made. The last test is with real ones and
/// says nothing on a machine that has none.
/// </summary>
public sealed class SandboxCgroupTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cerver-test-").FullName;
    private readonly string _tree = Directory.CreateTempSubdirectory("cerver-test-cgroup-").FullName;
    private readonly FakeKernel _kernel;

    public SandboxCgroupTests()
    {
        File.WriteAllText(Path.Combine(_tree, "cgroup.controllers"), "cpuset cpu io memory pids\n");
        File.WriteAllText(Path.Combine(_tree, "cgroup.subtree_control"), "cpu memory pids\n");
        _kernel = new FakeKernel(_tree);
    }

    public void Dispose()
    {
        _kernel.Dispose();
        Directory.Delete(_tree, recursive: true);
        Directory.Delete(_data, recursive: true);
    }

    [Theory]
    [InlineData("/", "/sys/fs/cgroup", "0::/", "/sys/fs/cgroup")]
    [InlineData("/", "/sys/fs/cgroup", "0::/system.slice/cerver.service", "/sys/fs/cgroup/system.slice/cerver.service")]
    [InlineData("/docker/a", "/sys/fs/cgroup", "0::/docker/a", "/sys/fs/cgroup")]
    [InlineData("/docker/a", "/sys/fs/cgroup", "0::/docker/a/b", "/sys/fs/cgroup/b")]
    [InlineData("/docker/a", "/sys/fs/cgroup", "0::/docker/ab", null)]
    [InlineData("/", "/sys/fs/cgroup", "0::/../other", null)]
    [InlineData("/", "/sys/fs/cgroup", "4:memory:/", null)]
    public void The_own_group_is_found_by_what_is_mounted_and_where_the_process_is(string root, string mountPoint, string cgroup, string? directory)
    {
        string[] mounts =
        [
            "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            "30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
            $"35 24 0:30 {root} {mountPoint} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate",
        ];

        Assert.Equal(directory, CgroupTree.FindDirectory(mounts, [cgroup]));
    }

    [Fact]
    public async Task A_sandbox_is_in_a_group_with_its_limits_before_anything_runs_in_it()
    {
        await using var provider = await CreateAsync();
        await using var sandbox = await OpenAsync(provider);

        var group = _kernel.OnlyGroup();

        Assert.Equal("134217728", Read(group, "memory.max"));
        Assert.Equal("1", Read(group, "memory.oom.group"));
        Assert.Equal("150000 100000", Read(group, "cpu.max"));
        Assert.Equal("77", Read(group, "pids.max"));
        Assert.Equal(((LocalSandbox)sandbox).ContainerId.ToString(CultureInfo.InvariantCulture), Read(group, "cgroup.procs"));
        Assert.Equal(
            new ComputeCapabilities(
                ComputeFeatures.Pause | ComputeFeatures.Files,
                Memory: new(ComputeHold.Cgroup, 134217728),
                Cpu: new(ComputeHold.Cgroup, 1.5m),
                Processes: new(ComputeHold.Cgroup, 77),
                Disk: new(ComputeHold.Watch, 10L << 30)),
            provider.Describe().Capabilities);
    }

    [Fact]
    public async Task A_group_goes_with_its_sandbox_and_what_is_left_in_it_is_ended()
    {
        await using var provider = await CreateAsync();
        var sandbox = await OpenAsync(provider);
        var group = _kernel.OnlyGroup();

        await sandbox.DisposeAsync();

        Assert.False(Directory.Exists(group));
        Assert.Contains(group, _kernel.Killed);
    }

    [Fact]
    public async Task What_the_kernel_ended_a_sandbox_for_is_the_last_line_of_its_runs()
    {
        await using var provider = await CreateAsync();
        await using var sandbox = await OpenAsync(provider);
        var process = await sandbox.StartAsync("echo up; sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();

        await File.WriteAllTextAsync(Path.Combine(_kernel.OnlyGroup(), "memory.events"), "low 0\nhigh 0\nmax 14\noom 1\noom_kill 3\noom_group_kill 1\n");
        using (var container = System.Diagnostics.Process.GetProcessById(((LocalSandbox)sandbox).ContainerId))
        {
            container.Kill();
        }

        Assert.Equal(SandboxLimitWords.Memory(134217728).Trim(), await output.ReadLineAsync());
        Assert.Equal(137, await process.Exit);
    }

    [Fact]
    public async Task A_program_that_ends_badly_while_processes_ran_out_says_so()
    {
        await using var provider = await CreateAsync();
        await using var sandbox = await OpenAsync(provider);
        var process = await sandbox.StartAsync("until [ -e go ]; do sleep 0.01; done; exit 3");

        await File.WriteAllTextAsync(Path.Combine(_kernel.OnlyGroup(), "pids.events"), "max 5\n");
        await sandbox.RunAsync("touch go");

        var run = await process.FinishAsync();
        Assert.Equal((3, SandboxLimitWords.Processes(77)), (run.ExitCode, run.ErrorText));
        Assert.Equal((1, ""), ((await sandbox.RunAsync("false")).ExitCode, (await sandbox.RunAsync("false")).ErrorText));
    }

    [Fact]
    public async Task Groups_that_a_killed_gateway_left_are_removed_by_the_next_one_of_its_data_directory()
    {
        var run = Directory.CreateDirectory(Path.Combine(_data, "run")).FullName;
        await File.WriteAllTextAsync(Path.Combine(run, "0123456789abcdef.lock"), Path.Combine(run, "0123456789abcdef"));
        var left = Directory.CreateDirectory(Path.Combine(_tree, "cerver-0123456789abcdef-sbx_00000000")).FullName;
        var others = Directory.CreateDirectory(Path.Combine(_tree, "cerver-fedcba9876543210-sbx_00000000")).FullName;

        await using var provider = await CreateAsync();

        Assert.Equal(ComputeHold.Cgroup, provider.Describe().Capabilities!.Memory.Hold);
        Assert.False(Directory.Exists(left));
        Assert.True(Directory.Exists(others));
    }

    [Fact]
    public async Task A_machine_that_has_no_such_tree_limits_what_it_can_without()
    {
        await using var provider = await CreateAsync(Path.Combine(_tree, "missing"));

        Assert.Equal((ComputeHold.Watch, ComputeHold.Affinity), (provider.Describe().Capabilities!.Memory.Hold, provider.Describe().Capabilities!.Cpu.Hold));
    }

    [Fact]
    public async Task The_kernel_ends_a_sandbox_that_uses_too_much_memory()
    {
        if (CgroupTree.Find(named: null, "/proc", Environment.ProcessId).Tree is not { HoldsMemory: true, HoldsProcesses: true } tree)
        {
            return;
        }

        await using var provider = await CreateAsync(tree.Directory);
        await using var neighbour = await OpenAsync(provider);
        await using var sandbox = await OpenAsync(provider);
        await using var crowded = await OpenAsync(provider);

        var run = await sandbox.RunAsync("held = []\nwhile True: held.append(bytearray(b'x' * (1 << 24)))", SandboxRuntime.Python);
        var fork = await crowded.RunAsync("import os, time\nwhile True:\n  if os.fork() == 0: time.sleep(1000)", SandboxRuntime.Python);

        Assert.Equal((137, SandboxLimitWords.Memory(134217728)), (run.ExitCode, run.ErrorText));
        Assert.EndsWith(SandboxLimitWords.Processes(77), fork.ErrorText, StringComparison.Ordinal);
        Assert.Equal("alive\n", (await neighbour.RunAsync("echo alive")).Text);
        await sandbox.Closed;
        await crowded.DisposeAsync();
        Assert.Single(Directory.GetDirectories(tree.Directory, "cerver-*-sbx_*"));
    }

    private static string Read(string group, string file) => File.ReadAllText(Path.Combine(group, file)).Trim();

    private static Task<ISandbox> OpenAsync(LocalComputeProvider provider) =>
        provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);

    private async Task<LocalComputeProvider> CreateAsync(string? directory = null)
    {
        var options = new LocalComputeOptions { CgroupDirectory = directory ?? _tree, MemoryBytes = 1 << 27, Cpus = 1.5, MaxProcesses = 77 };
        var provider = new LocalComputeProvider(Options.Create(options), _data, TimeProvider.System, NullLogger<LocalComputeProvider>.Instance);
        await provider.ProbeAsync(CancellationToken.None);
        Assert.Null(provider.Describe().Reason);
        return provider;
    }

    /// <summary>Does with the files of groups what the kernel does: a group can be ended, and lets itself be removed then.</summary>
    private sealed class FakeKernel : IDisposable
    {
        private const string KillFile = "cgroup.kill";

        private readonly string _tree;
        private readonly FileSystemWatcher _watcher;

        public FakeKernel(string tree)
        {
            _tree = tree;
            _watcher = new FileSystemWatcher(tree) { IncludeSubdirectories = true };
            _watcher.Created += (_, change) => React(change.FullPath);
            _watcher.Changed += (_, change) => React(change.FullPath);
            _watcher.EnableRaisingEvents = true;
        }

        /// <summary>The groups that were ended.</summary>
        public ConcurrentBag<string> Killed { get; } = [];

        public string OnlyGroup() => Assert.Single(Directory.GetDirectories(_tree, "cerver-*"));

        public void Dispose() => _watcher.Dispose();

        private void React(string path)
        {
            try
            {
                if (Path.GetDirectoryName(path) == _tree && path.Contains("-sbx_", StringComparison.Ordinal) && Directory.Exists(path))
                {
                    File.AppendAllText(Path.Combine(path, KillFile), "");
                }
                else if (Path.GetFileName(path) == KillFile && File.ReadAllText(path) == "1")
                {
                    var group = Path.GetDirectoryName(path)!;
                    Killed.Add(group);
                    Array.ForEach(Directory.GetFiles(group), File.Delete);
                }
            }
            catch (IOException)
            {
                // The group was removed meanwhile.
            }
        }
    }
}
