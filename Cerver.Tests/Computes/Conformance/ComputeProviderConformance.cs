using System.Collections.Immutable;
using System.Text;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Runs;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>What every provider must do, whatever its sandboxes are. Each provider has a class of tests that says how to make one.</summary>
public abstract class ComputeProviderConformance : IAsyncLifetime
{
    private protected IProviderUnderTest Subject { get; private set; } = null!;

    private protected IComputeProvider Provider => Subject.Provider;

    public async Task InitializeAsync() => Subject = await CreateAsync();

    public Task DisposeAsync() => Subject.DisposeAsync().AsTask();

    [Fact]
    public async Task It_is_ready_and_says_what_it_is()
    {
        var info = await Subject.DescribeAsync(Provider);

        Assert.Equal((ComputeStatus.Ready, null), (info.Status, info.Reason));
        Assert.Equal(Provider.Name, info.Provider);
        Assert.Contains(SandboxRuntime.Shell, info.Runtimes);
    }

    [Theory]
    [InlineData(SandboxRuntime.Shell, "echo ok")]
    [InlineData(SandboxRuntime.Node, "console.log('ok')")]
    [InlineData(SandboxRuntime.Python, "print('ok')")]
    public async Task What_it_says_executes_code_does_and_nothing_else_is_tried(SandboxRuntime runtime, string code)
    {
        await using var sandbox = await OpenAsync();

        if ((await Subject.DescribeAsync(Provider)).Runtimes.Contains(runtime))
        {
            Assert.Equal("ok\n", (await sandbox.RunAsync(code, runtime)).Text);
        }
        else
        {
            var refusal = await Assert.ThrowsAsync<CerverException>(() => sandbox.StartAsync(code, runtime));
            Assert.Contains(refusal.Code, (CerverError[])[CerverError.NoCompute, CerverError.ProviderUnavailable]);
        }
    }

    [Fact]
    public async Task A_program_that_reads_its_input_finds_the_end_of_it_and_nobody_says_that_any_could_be_sent()
    {
        await using var sandbox = await OpenAsync();

        var run = await sandbox.RunAsync("cat; echo over");

        Assert.Equal(("over\n", 0), (run.Text, run.ExitCode));
        Assert.False(await CanAsync(ComputeFeatures.Stdin));
    }

    [Fact]
    public async Task Nobody_says_that_its_sandboxes_can_do_what_no_provider_is_asked_for()
    {
        Assert.False(await CanAsync(ComputeFeatures.Snapshot));
        Assert.False(await CanAsync(ComputeFeatures.Ports));
    }

    [Fact]
    public async Task Files_are_reached_from_outside_where_it_says_so_and_nowhere_else()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await OpenAsync(sandboxId);
        await sandbox.RunAsync("mkdir made; printf inside > made/file");
        var files = Provider.Files;
        var reading = new ReadFile(Of("made/file"), Offset: 0, FileParts.MaxBytes);
        if (!await CanAsync(ComputeFeatures.Files))
        {
            // Some find out only when they are asked.
            Assert.True(
                files is not { Obstacle: null }
                || (await Assert.ThrowsAsync<CerverException>(() => files.ReadAsync(sandboxId, reading, CancellationToken.None))).Code == CerverError.NoCompute);
            return;
        }

        Assert.Null(files!.Obstacle);
        var read = await files.ReadAsync(sandboxId, reading, CancellationToken.None);
        await files.BeginAsync(sandboxId, new("upload", Size: null), CancellationToken.None);
        await files.WriteAsync(sandboxId, new("upload", Offset: 0, "outside"u8.ToArray()), CancellationToken.None);
        await files.PlaceAsync(sandboxId, new("upload", Of("made/other"), "outside"u8.Length), CancellationToken.None);
        var listing = await files.ListAsync(sandboxId, new(Of("made"), After: [], FileParts.MaxEntries), CancellationToken.None);
        await files.DeleteAsync(sandboxId, new(Of("made/file"), Recursive: false), CancellationToken.None);

        Assert.Equal("inside"u8, read.Data);
        Assert.Equal(["file", "other"], listing.Entries.Select(static entry => Encoding.UTF8.GetString(entry.Name.AsSpan())));
        Assert.Equal("outside|other\n", (await sandbox.RunAsync("cat made/other; echo \"|$(ls made)\"")).Text);
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
    public async Task Code_and_output_are_utf8()
    {
        await using var sandbox = await OpenAsync();

        Assert.Equal("grüße 🦊\n", (await sandbox.RunAsync("echo 'grüße 🦊'")).Text);
    }

    [Fact]
    public async Task Much_code_is_executed_like_little()
    {
        await using var sandbox = await OpenAsync();

        var run = await sandbox.RunAsync($"{string.Concat(Enumerable.Repeat($"#{new string('é', 100)}\n", 1_000))}echo ok");

        Assert.Equal(("ok\n", 0), (run.Text, run.ExitCode));
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
    public async Task One_that_is_not_let_in_says_what_it_lacks_and_opens_nothing()
    {
        var provider = await Subject.WithoutAccessAsync();

        var info = await Subject.DescribeAsync(provider);
        var refusal = await Assert.ThrowsAsync<CerverException>(() => OpenAsync(provider));

        Assert.NotEqual(ComputeStatus.Ready, info.Status);
        Assert.EndsWith(".", info.Reason, StringComparison.Ordinal);
        Assert.Contains(refusal.Code, (CerverError[])[CerverError.ProviderUnavailable, CerverError.HostUnavailable, CerverError.ComputeOffline]);
    }

    /// <summary>Makes what is tested.</summary>
    private protected abstract Task<IProviderUnderTest> CreateAsync();

    private protected static SandboxCommand Command(string code) => new(code, SandboxRuntime.Shell, ImmutableDictionary<string, string>.Empty);

    private protected static Task<ISandbox> OpenAsync(IComputeProvider provider, string? sandboxId = null, bool network = false) =>
        provider.OpenAsync(new SandboxSpec(sandboxId ?? Ids.NewSandbox(TimeProvider.System), network), CancellationToken.None);

    private protected Task<ISandbox> OpenAsync(string? sandboxId = null) => OpenAsync(Provider, sandboxId);

    /// <summary>Whether it says so of its sandboxes. One that does not say what they can do claims nothing.</summary>
    private protected async Task<bool> CanAsync(ComputeFeatures feature) => (await Subject.DescribeAsync(Provider)).Capabilities?.Features.HasFlag(feature) ?? false;

    private static SandboxPath Of(string path) => SandboxPath.Parse(Encoding.UTF8.GetBytes(path));
}
