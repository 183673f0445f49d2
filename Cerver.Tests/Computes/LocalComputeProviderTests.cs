using System.Collections.Concurrent;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;
using Cerver.Runs;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Computes;

public sealed class LocalComputeProviderTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    [Fact]
    public void A_provider_that_was_probed_says_what_it_can()
    {
        var info = fixture.Provider.Describe();

        Assert.Equal(("provider_local", "This machine", "local"), (info.ComputeId, info.Label, info.Provider));
        Assert.Equal((ComputeStatus.Ready, null, "shared", "host", true), (info.Status, info.Reason, info.Scope, info.Kind, info.Network));
        Assert.Equal([SandboxRuntime.Shell, SandboxRuntime.Node, SandboxRuntime.Python], info.Runtimes.AsEnumerable());
    }

    [Fact]
    public async Task A_provider_that_was_not_probed_is_not_used()
    {
        await using var provider = fixture.CreateProvider();

        Assert.Equal(ComputeStatus.Unconfigured, provider.Describe().Status);
        await Assert.ThrowsAsync<CerverException>(() => provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None));
    }

    [Theory]
    [InlineData("/nowhere/bwrap", "bubblewrap is not installed (/nowhere/bwrap): install it with 'apt-get install bubblewrap'.")]
    [InlineData("/bin/true", "/bin/true is not bubblewrap 0.8 or newer: install one that is.")]
    public async Task Without_bubblewrap_nothing_runs_and_the_reason_says_what_to_do(string path, string reason)
    {
        await using var provider = fixture.CreateProvider(new LocalComputeOptions { BubblewrapPath = path });

        await provider.ProbeAsync(CancellationToken.None);

        Assert.Equal((ComputeStatus.Unconfigured, reason), (provider.Describe().Status, provider.Describe().Reason));
        Assert.Empty(provider.Describe().Runtimes);
        var refusal = await Assert.ThrowsAsync<CerverException>(
            () => provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None));
        Assert.Equal((CerverError.ProviderUnavailable, reason), (refusal.Code, refusal.Message));
    }

    [Fact]
    public async Task A_bubblewrap_that_may_not_make_containers_makes_the_provider_unconfigured_and_leaves_nothing_behind()
    {
        var pretender = Path.Combine(Directory.CreateTempSubdirectory("cerver-test-").FullName, "bwrap");
        await File.WriteAllTextAsync(pretender, "#!/bin/sh\n[ \"$1\" = --version ] && echo bubblewrap 0.8.0 && exit\necho No permissions to create new namespace >&2\nexit 1\n");
        File.SetUnixFileMode(pretender, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await using var provider = fixture.CreateProvider(new LocalComputeOptions { BubblewrapPath = pretender, WorkspaceRoot = Path.Combine(fixture.DataDirectory, "elsewhere") });

        await provider.ProbeAsync(CancellationToken.None);

        Assert.Equal(ComputeStatus.Unconfigured, provider.Describe().Status);
        Assert.EndsWith(".", provider.Describe().Reason, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Path.Combine(fixture.DataDirectory, "elsewhere")));
        Directory.Delete(Path.GetDirectoryName(pretender)!, recursive: true);
    }

    [Fact]
    public async Task No_more_sandboxes_are_open_than_may_be_and_one_that_is_closed_makes_room()
    {
        await using var provider = fixture.CreateProvider(new LocalComputeOptions { MaxSandboxes = 1, WorkspaceRoot = Path.Combine(fixture.DataDirectory, "few") });
        await provider.ProbeAsync(CancellationToken.None);
        var first = await provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None));
        await first.DisposeAsync();
        await using var second = await provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);

        Assert.Equal(
            (CerverError.ProviderUnavailable, "All 1 sandboxes that this machine may have at once are in use: end some sessions."), (refusal.Code, refusal.Message));
    }

    [Fact]
    public async Task Files_outlive_the_sandbox_until_they_are_removed()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using (var first = await fixture.OpenAsync(sandboxId))
        {
            await first.RunAsync("mkdir -m 700 d; echo kept > d/f; chmod 000 d/f; ln -s /etc/passwd link; mkdir -m 000 closed; echo gone > /tmp/f");
        }

        await using (var second = await fixture.OpenAsync(sandboxId))
        {
            Assert.Equal("kept\n", (await second.RunAsync("chmod 600 d/f; cat d/f; ls /tmp; rmdir closed")).Text);
        }

        await fixture.Provider.RemoveAsync(sandboxId, CancellationToken.None);
        await fixture.Provider.RemoveAsync(sandboxId, CancellationToken.None);
        await using var third = await fixture.OpenAsync(sandboxId);

        Assert.Equal("", (await third.RunAsync("ls -A")).Text);
    }

    [Fact]
    public async Task Files_that_belonged_to_another_user_id_are_the_sandboxes_own_when_it_comes_up_again()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using (var first = await fixture.OpenAsync(sandboxId))
        {
            await first.RunAsync($"echo kept > f; ln -s {fixture.DataDirectory}/victim link; ln -s /etc/hostname other; mkdir -m 0 d");
        }

        var victim = Path.Combine(fixture.DataDirectory, "victim");
        await File.WriteAllTextAsync(victim, "mine");
        File.SetUnixFileMode(victim, UnixFileMode.UserRead);
        await using var elsewhere = fixture.CreateProvider(new LocalComputeOptions { FirstUserId = 1_800_000_000, UserIdCount = 10 });
        await elsewhere.ProbeAsync(CancellationToken.None);
        await using var second = await elsewhere.OpenAsync(new(sandboxId, Network: false), CancellationToken.None);

        Assert.Equal("kept\n1000\n1000\n1000\n1000\n", (await second.RunAsync("cat f; stat -c %u f link other d; echo more >> f")).Text);
        Assert.Equal("mine", await File.ReadAllTextAsync(victim));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(victim));
    }

    [Fact]
    public async Task Hostile_files_are_removed_without_following_links()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        var outside = Directory.CreateDirectory(Path.Combine(fixture.DataDirectory, "outside"));
        await File.WriteAllTextAsync(Path.Combine(outside.FullName, "precious"), "x");
        await using (var sandbox = await fixture.OpenAsync(sandboxId))
        {
            var run = await sandbox.RunAsync(
                $"ln -s {outside.FullName} a; mkdir -m 555 b; mkfifo c; mkdir -p d/e; touch d/e/f; chmod 000 d; touch -- -rf $'new\\nline' $'\\xff';"
                + "python3 -c \"import os\nfor i in range(5000):\n  os.mkdir('x' * 100); os.chdir('x' * 100)\nopen('leaf', 'w')\"");
            Assert.Equal("", run.ErrorText);
        }

        await fixture.Provider.RemoveAsync(sandboxId, CancellationToken.None);

        Assert.False(Directory.Exists(Path.Combine(fixture.DataDirectory, "sandboxes", sandboxId)));
        Assert.True(File.Exists(Path.Combine(outside.FullName, "precious")));
    }

    [Fact]
    public async Task A_workspace_is_its_sandboxes_own_on_this_machine_too()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await fixture.OpenAsync(sandboxId);

        var mode = File.GetUnixFileMode(Path.Combine(fixture.DataDirectory, "sandboxes", sandboxId));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, mode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sbx_")]
    [InlineData("../../etc")]
    [InlineData("sbx_0123456789abcdeF")]
    [InlineData("sbx_0123456789abcdef/..")]
    [InlineData("sbx_0123456789abcdef\n")]
    public async Task Only_a_sandboxes_id_becomes_a_path(string sandboxId)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => fixture.OpenAsync(sandboxId));
        await Assert.ThrowsAsync<ArgumentException>(() => fixture.Provider.RemoveAsync(sandboxId, CancellationToken.None));
    }

    [Fact]
    public async Task An_open_sandbox_is_neither_opened_again_nor_removed()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await fixture.OpenAsync(sandboxId);

        var opening = await Assert.ThrowsAsync<CerverException>(() => fixture.OpenAsync(sandboxId));
        var removal = await Assert.ThrowsAsync<CerverException>(() => fixture.Provider.RemoveAsync(sandboxId, CancellationToken.None));

        Assert.Equal((CerverError.ProviderUnavailable, CerverError.ProviderUnavailable), (opening.Code, removal.Code));
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }

    [Fact]
    public async Task An_opening_that_was_cancelled_leaves_nothing_behind()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Provider.OpenAsync(new(sandboxId, Network: false), new CancellationToken(canceled: true)));

        Assert.False(Directory.Exists(Path.Combine(fixture.DataDirectory, "sandboxes", sandboxId)));
        await using var sandbox = await fixture.OpenAsync(sandboxId);
    }

    [Fact]
    public async Task A_start_that_was_cancelled_leaves_no_program()
    {
        await using var sandbox = await fixture.OpenAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => sandbox.StartAsync(new("sleep 1000", SandboxRuntime.Shell, []), new CancellationToken(canceled: true)));

        Assert.Equal(0, (await sandbox.RunAsync("timeout 10 bash -c 'while grep -q [s]leep.1000 /proc/[0-9]*/cmdline; do sleep 0.02; done'")).ExitCode);
    }

    [Fact]
    public async Task Disposing_the_provider_closes_its_sandboxes_and_removes_its_files()
    {
        var provider = fixture.CreateProvider();
        await provider.ProbeAsync(CancellationToken.None);
        var sandbox = await provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);
        var process = await sandbox.StartAsync("sleep 1000");
        var before = Directory.GetDirectories(Path.Combine(fixture.DataDirectory, "run")).Length;

        await provider.DisposeAsync();

        Assert.True(sandbox.Closed.IsCompletedSuccessfully);
        Assert.Null(await process.Exit);
        Assert.Equal(before - 1, Directory.GetDirectories(Path.Combine(fixture.DataDirectory, "run")).Length);
    }

    [Fact]
    public async Task A_data_directory_with_a_long_name_works()
    {
        var path = Path.Combine(fixture.DataDirectory, new string('d', 150));
        await using var provider = new LocalComputeProvider(
            Microsoft.Extensions.Options.Options.Create(new LocalComputeOptions()), path, TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<LocalComputeProvider>.Instance);

        await provider.ProbeAsync(CancellationToken.None);

        Assert.Null(provider.Describe().Reason);
    }

    [Fact]
    public async Task Sandboxes_that_are_closed_and_have_files_are_listed()
    {
        var open = Ids.NewSandbox(TimeProvider.System);
        var closed = Ids.NewSandbox(TimeProvider.System);
        var removed = Ids.NewSandbox(TimeProvider.System);
        await using var sandbox = await fixture.OpenAsync(open);
        await (await fixture.OpenAsync(closed)).DisposeAsync();
        await (await fixture.OpenAsync(removed)).DisposeAsync();
        await fixture.Provider.RemoveAsync(removed, CancellationToken.None);

        var listed = await fixture.Provider.ListAsync(CancellationToken.None);

        Assert.Contains(closed, listed);
        Assert.DoesNotContain(open, listed);
        Assert.DoesNotContain(removed, listed);
    }

    [Fact]
    public async Task A_removal_that_was_cut_short_is_erased_later_and_the_same_sandbox_begins_anew()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        var half = Directory.CreateDirectory(Path.Combine(fixture.DataDirectory, "sandboxes", $"{sandboxId}.removed"));
        await File.WriteAllTextAsync(Path.Combine(half.FullName, "old"), "x");

        var listed = await fixture.Provider.ListAsync(CancellationToken.None);
        await using var sandbox = await fixture.OpenAsync(sandboxId);
        Assert.Equal("", (await sandbox.RunAsync("ls; echo new > file")).Text);
        await fixture.Provider.EraseAsync(CancellationToken.None);

        Assert.DoesNotContain(sandboxId, listed);
        Assert.False(Directory.Exists(half.FullName));
        Assert.Equal("new\n", (await sandbox.RunAsync("cat file")).Text);
    }

    [Fact]
    public async Task What_is_set_aside_is_kept_until_it_is_erased_and_the_same_sandbox_begins_anew_each_time()
    {
        var root = Path.Combine(fixture.DataDirectory, "aside");
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var provider = CreateProvider(root, "data");
        await provider.ProbeAsync(CancellationToken.None);
        for (var i = 0; i < 2; i++)
        {
            await using (var sandbox = await provider.OpenAsync(new(sandboxId, Network: false), CancellationToken.None))
            {
                Assert.Equal("", (await sandbox.RunAsync("ls; echo old > file")).Text);
                await Assert.ThrowsAsync<CerverException>(() => provider.SetAsideAsync(sandboxId, CancellationToken.None));
            }

            await provider.SetAsideAsync(sandboxId, CancellationToken.None);
        }

        await provider.SetAsideAsync(sandboxId, CancellationToken.None);
        var aside = Directory.GetDirectories(root);
        var listed = await provider.ListAsync(CancellationToken.None);
        await provider.EraseAsync(CancellationToken.None);

        Assert.Equal(2, aside.Length);
        Assert.Empty(listed);
        Assert.Empty(Directory.GetDirectories(root));
    }

    [Fact]
    public async Task An_erasure_that_is_cancelled_is_done_the_next_time()
    {
        var root = Path.Combine(fixture.DataDirectory, "cancelled");
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var provider = CreateProvider(root, "data");
        await provider.ProbeAsync(CancellationToken.None);
        await (await provider.OpenAsync(new(sandboxId, Network: false), CancellationToken.None)).DisposeAsync();
        await provider.SetAsideAsync(sandboxId, CancellationToken.None);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => provider.EraseAsync(new CancellationToken(canceled: true)));
        await provider.EraseAsync(CancellationToken.None);

        Assert.Empty(Directory.GetDirectories(root));
    }

    [Fact]
    public async Task A_directory_that_another_gateway_used_first_is_not_looked_through()
    {
        var root = Path.Combine(fixture.DataDirectory, "shared");
        var sandboxId = Ids.NewSandbox(TimeProvider.System);
        await using var first = CreateProvider(root, "first");
        await first.ProbeAsync(CancellationToken.None);
        await (await first.OpenAsync(new(sandboxId, Network: false), CancellationToken.None)).DisposeAsync();
        var log = new LogMessages();
        await using var second = CreateProvider(root, "second", log);
        await second.ProbeAsync(CancellationToken.None);

        await (await second.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None)).DisposeAsync();
        Directory.CreateDirectory(Path.Combine(root, $"{Ids.NewSandbox(TimeProvider.System)}.removed"));

        await second.EraseAsync(CancellationToken.None);

        Assert.Contains(sandboxId, await first.ListAsync(CancellationToken.None));
        Assert.Empty(await second.ListAsync(CancellationToken.None));
        Assert.Empty(await second.ListAsync(CancellationToken.None));
        Assert.Single(Directory.GetDirectories(root, "*.removed"));
        Assert.Single(log.Messages, message => message.StartsWith($"Another gateway used {root} first", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_gateway_whose_data_directory_has_the_path_of_anothers_is_another()
    {
        var root = Path.Combine(fixture.DataDirectory, "volume");
        await using var first = CreateProvider(root, "container");
        await first.ProbeAsync(CancellationToken.None);
        await (await first.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None)).DisposeAsync();
        await using var again = CreateProvider(root, "container");
        var listedAgain = await again.ListAsync(CancellationToken.None);

        // What the other container sees under the same path is another directory, where no name was kept yet.
        File.Delete(Path.Combine(fixture.DataDirectory, "container", "gateway"));
        await using var second = CreateProvider(root, "container");

        Assert.Single(listedAgain);
        Assert.Empty(await second.ListAsync(CancellationToken.None));
    }

    private LocalComputeProvider CreateProvider(string root, string data, ILogger<LocalComputeProvider>? logger = null) => new(
        Microsoft.Extensions.Options.Options.Create(new LocalComputeOptions { WorkspaceRoot = root }), Path.Combine(fixture.DataDirectory, data), TimeProvider.System,
        logger ?? Microsoft.Extensions.Logging.Abstractions.NullLogger<LocalComputeProvider>.Instance);

    /// <summary>What was logged.</summary>
    private sealed class LogMessages : ILogger<LocalComputeProvider>
    {
        public ConcurrentQueue<string> Messages { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Enqueue(formatter(state, exception));
    }
}
