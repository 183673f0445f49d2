using Cerver.Bench.Faults;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;
using Cerver.Runs;

namespace Cerver.Tests.Computes;

/// <summary>
/// What a program does that wants to take the machine down: it is held, a neighbour works meanwhile, and nothing of it is left. The limits are those of
/// a machine that can make no control groups, which are the weaker ones.
/// </summary>
public sealed class LocalSandboxAbuseTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>, IAsyncLifetime
{
    private const int MaxProcesses = 64;

    private LocalComputeProvider _provider = null!;
    private ISandbox _neighbour = null!;
    private ISandbox _sandbox = null!;
    private string _sandboxId = null!;

    public async Task InitializeAsync()
    {
        _provider = fixture.CreateProvider(new LocalComputeOptions
        {
            UseCgroups = false,
            WatchInterval = TimeSpan.FromMilliseconds(100),
            MemoryBytes = 1 << 27,
            DiskBytes = 1 << 25,
            MaxFileBytes = 1 << 24,
            TmpBytes = 1 << 24,
            MaxProcesses = MaxProcesses,
        });
        await _provider.ProbeAsync(CancellationToken.None);
        _sandboxId = Ids.NewSandbox(TimeProvider.System);
        _sandbox = await _provider.OpenAsync(new(_sandboxId, Network: false), CancellationToken.None);
        _neighbour = await _provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);
    }

    public async Task DisposeAsync() => await _provider.DisposeAsync();

    [Fact]
    public async Task A_fork_bomb_gets_its_processes_and_no_more_and_is_stopped()
    {
        var process = await StartAsync("exec 2>/dev/null; bomb() { bomb | bomb & }; bomb; echo lit; sleep 1000");

        await AssertNeighbourWorksAsync();
        Assert.InRange(Tree().Length, 1, MaxProcesses + 1);
        await StopAsync(process);
        await AssertAliveAsync();
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Forks_that_leave_their_parents_at_once_are_stopped_too()
    {
        var process = await StartAsync(
            "import os, time\nprint('lit', flush=True)\nif os.fork() > 0: time.sleep(1000)\nwhile True:\n  try:\n    if os.fork() > 0: os._exit(0)\n    os.setsid()\n  except OSError: pass",
            SandboxRuntime.Python);

        await AssertNeighbourWorksAsync();
        await StopAsync(process);
        await AssertAliveAsync();
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task A_memory_bomb_of_many_processes_is_ended()
    {
        var process = await StartAsync(
            "import os, time\nprint('lit', flush=True)\nfor i in range(8):\n  if os.fork() == 0:\n    held = []\n    try:\n      while True: held.append(bytearray(b'x' * (1 << 20)))\n    except MemoryError: time.sleep(1000)\ntime.sleep(1000)",
            SandboxRuntime.Python);

        await AssertNeighbourWorksAsync();
        Assert.Equal((137, SandboxLimitWords.Memory(1 << 27)), Ending(await process.FinishAsync()));
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Memory_that_hides_in_temporary_files_has_its_own_limit()
    {
        var process = await StartAsync(
            "exec 2>/dev/null; echo lit; for d in /tmp /dev/shm; do for i in $(seq 100); do head -c 1000000 /dev/zero > $d/$i || break; done; done; du -sm /tmp /dev/shm | cut -f1 | tr '\\n' ' '");

        await AssertNeighbourWorksAsync();
        Assert.Equal("16 16 ", (await process.FinishAsync()).Text);
        await AssertNothingIsLeftAsync();
    }

    [Theory]
    [InlineData("echo lit; i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > $i; done")]
    [InlineData("echo lit; mkdir -p a; cd a; while :; do mkdir -p a; cd a; head -c 1000000 /dev/zero > f; done")]
    [InlineData("echo lit; mkdir d; chmod 700 d; while :; do for i in 1 2 3 4 5 6 7 8 9; do exec {f}> d/x; rm d/x; head -c 4000000 /dev/zero >&$f; done; done")]
    public async Task A_disk_filler_is_ended_and_its_files_can_be_removed(string code)
    {
        var process = await StartAsync(code);

        await AssertNeighbourWorksAsync();
        Assert.Equal((137, SandboxLimitWords.Disk(1 << 25)), Ending(await process.FinishAsync()));
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task A_flood_of_output_waits_for_its_reader_and_is_stopped()
    {
        var process = await _sandbox.StartAsync("while :; do head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; done");
        var read = 0L;
        await using var output = process.Output.GetAsyncEnumerator();
        while (read < 50_000_000)
        {
            Assert.True(await output.MoveNextAsync());
            Assert.InRange(output.Current.Data.Length, 1, SandboxFrameReader.MaxPayloadBytes);
            read += output.Current.Data.Length;
        }

        // Nobody reads any more: the program stands still, and a neighbour does not.
        await AssertNeighbourWorksAsync();
        process.Stop(TimeSpan.Zero);
        while (await output.MoveNextAsync())
        {
            read += output.Current.Data.Length;
        }

        Assert.Equal(137, await process.Exit);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task The_dead_whom_nobody_buries_are_as_many_as_there_may_be_processes_and_go_with_their_run()
    {
        // They count as processes, so a sandbox that is full of them can start nothing until their parent has gone.
        var process = await StartAsync(
            "import os, time\nn = 0\ntry:\n  while n < 1000:\n    if os.fork() == 0: os._exit(0)\n    n += 1\nexcept OSError: pass\nprint('lit', flush=True)\ntime.sleep(1000)",
            SandboxRuntime.Python);

        await AssertNeighbourWorksAsync();
        Assert.InRange(Tree().Length, 1, MaxProcesses + 1);
        await StopAsync(process);
        await AssertAliveAsync();
        await AssertNothingIsLeftAsync();
    }

    private static (int? ExitCode, string LastLine) Ending(Finished run) => (run.ExitCode, run.ErrorText[(run.ErrorText.LastIndexOf("[Cerver:", StringComparison.Ordinal) is var at and >= 0 ? at : 0)..]);

    /// <summary>Stops a program at once, and reads what it had still printed.</summary>
    private static async Task StopAsync(ISandboxProcess process)
    {
        process.Stop(TimeSpan.Zero);
        Assert.Equal(137, (await process.FinishAsync()).ExitCode);
    }

    /// <summary>Starts a program that says when it has begun to do what it shall not.</summary>
    private async Task<ISandboxProcess> StartAsync(string code, SandboxRuntime runtime = SandboxRuntime.Shell)
    {
        var process = await _sandbox.StartAsync(code, runtime);
        return new Begun(process, await FirstLineAsync(process));
    }

    private static async Task<IAsyncEnumerator<SandboxOutput>> FirstLineAsync(ISandboxProcess process)
    {
        var output = process.Output.GetAsyncEnumerator();
        Assert.Equal("lit", await output.ReadLineAsync());
        return output;
    }

    /// <summary>The sandbox itself works again, as soon as what was stopped has made room for one more process.</summary>
    private async Task AssertAliveAsync()
    {
        const int Attempts = 10_000;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Assert.Equal("alive\n", (await _sandbox.RunAsync("echo alive")).Text);
                return;
            }
            catch (CerverException refusal) when (refusal.Code == CerverError.RateLimited && attempt < Attempts)
            {
                // Each question is a way to process 1 of the sandbox and back, which ends processes in between.
            }
        }
    }

    private async Task AssertNeighbourWorksAsync()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("fine\n", (await _neighbour.RunAsync("echo fine")).Text);
        }
    }

    private HostProcess[] Tree() => HostProcesses.Tree(((LocalSandbox)_sandbox).ContainerId);

    private async Task AssertNothingIsLeftAsync()
    {
        var tree = Tree();

        await _sandbox.DisposeAsync();
        await _provider.RemoveAsync(_sandboxId, CancellationToken.None);

        Assert.DoesNotContain(HostProcesses.All(), process => tree.Contains(process));
        Assert.DoesNotContain(Directory.GetDirectories(Path.Combine(fixture.DataDirectory, "sandboxes")), path => path.Contains(_sandboxId, StringComparison.Ordinal));
        Assert.Equal("fine\n", (await _neighbour.RunAsync("echo fine")).Text);
    }

    /// <summary>A program whose first line was read.</summary>
    private sealed class Begun(ISandboxProcess process, IAsyncEnumerator<SandboxOutput> rest) : ISandboxProcess
    {
        public IAsyncEnumerable<SandboxOutput> Output => ReadAsync();

        public Task<int?> Exit => process.Exit;

        public void Stop(TimeSpan grace) => process.Stop(grace);

        private async IAsyncEnumerable<SandboxOutput> ReadAsync()
        {
            while (await rest.MoveNextAsync())
            {
                yield return rest.Current;
            }
        }
    }
}
