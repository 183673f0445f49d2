using Cerver.Computes;
using Cerver.Grains.Computes.Local;

namespace Cerver.Tests.Computes;

public sealed class LocalSandboxWithoutIsolationTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    [Fact]
    public async Task Code_runs_in_its_directory_on_this_machine_and_the_label_says_so()
    {
        await using var provider = await CreateAsync();
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await provider.OpenAsync(new(sandboxId, Network: false), CancellationToken.None);

        var run = await sandbox.RunAsync("pwd; echo $HOME; echo $HELLO; env | grep -c 'CERVER\\|DOTNET'; exit 3", variables: ("HELLO", "there"));

        var directory = Path.Combine(fixture.DataDirectory, "sandboxes", sandboxId);
        Assert.Equal($"{directory}\n{directory}\nthere\n0\n", run.Text);
        Assert.Equal(3, run.ExitCode);
        Assert.Equal(("This machine (not isolated)", ComputeStatus.Ready), (provider.Describe().Label, provider.Describe().Status));
    }

    [Fact]
    public async Task Disposing_ends_everything_that_was_started()
    {
        await using var provider = await CreateAsync();
        await using var sandbox = await provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);
        var process = await sandbox.StartAsync("setsid bash -c 'trap \"\" TERM; sleep 1000 & echo up; wait' & sleep 1000");
        await using var output = process.Output.GetAsyncEnumerator();
        await output.ReadLineAsync();
        var tree = HostProcesses.Tree(((LocalSandbox)sandbox).ContainerId);
        Assert.True(tree.Length >= 5);

        await sandbox.DisposeAsync();

        Assert.DoesNotContain(HostProcesses.All(), p => tree.Contains(p));
    }

    [Fact]
    public async Task A_program_that_kills_process_1_of_its_sandbox_closes_it()
    {
        await using var provider = await CreateAsync();
        await using var sandbox = await provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);
        var process = await sandbox.StartAsync("kill -9 $(ps -o ppid= -p $PPID); sleep 1000");

        Assert.Null(await process.Exit);

        await sandbox.Closed;
    }

    private async Task<LocalComputeProvider> CreateAsync()
    {
        var provider = fixture.CreateProvider(new LocalComputeOptions { Isolation = LocalIsolation.None });
        await provider.ProbeAsync(CancellationToken.None);
        return provider;
    }
}
