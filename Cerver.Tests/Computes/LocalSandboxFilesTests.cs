using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Computes;

/// <summary>Files of sandboxes, while programs in them do what they like.</summary>
public sealed class LocalSandboxFilesTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    private readonly string _sandboxId = Ids.NewSandbox(TimeProvider.System);

    private LocalSandboxFiles Files => fixture.Provider.Files;

    private string Workspace => Path.Combine(fixture.DataDirectory, "sandboxes", _sandboxId);

    [Fact]
    public async Task A_file_is_sent_and_a_program_reads_it_and_changes_it()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);

        await SendAsync("notes/today/first.txt", "hello");
        var run = await sandbox.RunAsync("cat notes/today/first.txt && echo changed > notes/today/first.txt && mv notes/today notes/yesterday && stat -c '%u %a' notes/yesterday notes/yesterday/first.txt");

        Assert.Equal("hello1000 755\n1000 644\n", run.Text);
        Assert.Equal("changed\n", await ReadTextAsync("notes/yesterday/first.txt"));
    }

    [Fact]
    public async Task A_file_takes_the_place_of_one_that_a_program_wrote_and_of_no_other_that_is_the_same()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("echo program > file; chmod 444 file; ln file same; ln -s file link");

        var wasNew = await SendAsync("file", "sent");
        await SendAsync("link", "sent too");
        var run = await sandbox.RunAsync("cat same; stat -c '%F' link; rm file");

        Assert.False(wasNew);
        Assert.True(await SendAsync("new", "new"));
        Assert.Equal("program\nregular file\n", run.Text);
        Assert.Equal("sent too", await ReadTextAsync("link"));
    }

    [Fact]
    public async Task Files_are_there_while_the_sandbox_is_down_and_its_programs_own_them_when_it_is_up_again()
    {
        await using (await fixture.OpenAsync(_sandboxId))
        {
        }

        await SendAsync("a/b", "sent");
        Assert.Equal("sent", await ReadTextAsync("a/b"));
        await using var again = await fixture.OpenAsync(_sandboxId);

        Assert.Equal("sent", (await again.RunAsync("cat a/b && rm -r a")).Text);
    }

    [Fact]
    public async Task A_directory_is_listed_page_by_page_in_the_order_of_names_whatever_they_are()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("""mkdir -p d/sub; cd d; for i in $(seq 100 350); do echo $i > f$i; done; printf 1234 > $'\xff\xfe'; touch 'grüezi' 'a%2Fb' $'line\nbreak'; ln -s /etc/passwd link; mkfifo pipe; touch -d '@99999999999' far""");

        var entries = new List<SandboxEntry>();
        var page = new FileListing([], Next: []);
        do
        {
            page = await Files.ListAsync(_sandboxId, new(Of("d"), page.Next, Limit: 100), CancellationToken.None);
            entries.AddRange(page.Entries);
        }
        while (!page.Next.IsEmpty);

        Assert.Equal(259, entries.Count);
        Assert.Equal(entries.OrderBy(static entry => Convert.ToHexString(entry.Name.AsSpan()), StringComparer.Ordinal), entries);
        Assert.Equal((SandboxEntryKind.File, 4L), (Entry([0xff, 0xfe]).Kind, Entry([0xff, 0xfe]).Size));
        Assert.Equal(SandboxEntryKind.File, Entry("a%2Fb"u8).Kind);
        Assert.Equal(SandboxEntryKind.File, Entry("line\nbreak"u8).Kind);
        Assert.Equal(SandboxEntryKind.Directory, Entry("sub"u8).Kind);
        Assert.Equal(SandboxEntryKind.Symlink, Entry("link"u8).Kind);
        Assert.Equal(SandboxEntryKind.Other, Entry("pipe"u8).Kind);
        Assert.InRange(Entry("grüezi"u8).ModifiedAt, DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.MaxValue);
        Assert.Equal("1234", Encoding.UTF8.GetString((await ReadAsync(SandboxPath.Parse([.. "d/"u8, 0xff, 0xfe]))).Data));
        await DeleteAsync("d", recursive: true);
        Assert.Empty((await ListAsync("")).Entries);

        SandboxEntry Entry(ReadOnlySpan<byte> name)
        {
            var wanted = name.ToArray();
            return Assert.Single(entries, entry => entry.Name.AsSpan().SequenceEqual(wanted));
        }
    }

    [Theory]
    [InlineData("/file")]
    [InlineData("file/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("a/../../b")]
    [InlineData("./a")]
    [InlineData("a/.")]
    [InlineData("a\0b")]
    public void A_path_that_could_lead_anywhere_else_is_none(string path)
    {
        var refusal = Assert.Throws<CerverException>(() => Of(path));

        Assert.Equal((CerverError.InvalidRequest, "path"), (refusal.Code, refusal.Field));
    }

    [Fact]
    public void Paths_and_names_may_be_as_long_as_the_system_takes_them_and_no_longer()
    {
        var name = new string('n', SandboxPath.MaxNameBytes);
        var path = string.Join('/', Enumerable.Repeat(new string('n', 127), 32));

        Assert.Equal(SandboxPath.MaxBytes, Of(path).Bytes.Length);
        Assert.Equal(name, Of($"a/{name}").ToString()[2..]);
        Assert.Throws<CerverException>(() => Of(path + "n"));
        Assert.Throws<CerverException>(() => Of(name + "n"));
        Assert.Throws<CerverException>(() => Of(new string('ü', 128)));
    }

    [Theory]
    [InlineData("ln -s /etc/passwd x", "x")]
    [InlineData("ln -s /etc x", "x/passwd")]
    [InlineData("ln -s / x", "x/etc/passwd")]
    [InlineData("ln -s ../../.. x", "x/etc/passwd")]
    [InlineData("ln -s /proc/self/root x", "x/etc/passwd")]
    [InlineData("ln -s inside x; echo y > inside", "x")]
    public async Task No_symbolic_link_is_followed(string code, string path)
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync(code);

        var read = await RefusalAsync(() => ReadAsync(Of(path)));
        var list = await RefusalAsync(() => ListAsync(path));

        Assert.Equal((CerverError.Conflict, CerverError.Conflict), (read.Code, list.Code));
        Assert.Contains("symbolic link", read.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("etc", read.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_written_made_or_removed_over_a_symbolic_link()
    {
        var outside = Directory.CreateTempSubdirectory("cerver-outside-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(outside, "precious"), "precious");
            await using var sandbox = await fixture.OpenAsync(_sandboxId);
            await sandbox.RunAsync($"ln -s '{outside}' x; ln -s '{outside}/precious' y; mkdir d; ln -s '{outside}' d/x");

            Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => SendAsync("x/precious", "changed"))).Code);
            Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => SendAsync("x/new/file", "changed"))).Code);
            Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => DeleteAsync("x/precious"))).Code);
            await SendAsync("y", "changed");
            await DeleteAsync("d", recursive: true);
            await DeleteAsync("x", recursive: true);

            Assert.Equal(["precious"], Directory.EnumerateFileSystemEntries(outside).Select(path => Path.GetFileName(path)));
            Assert.Equal("precious", await File.ReadAllTextAsync(Path.Combine(outside, "precious")));
            Assert.Equal(["y"], Directory.EnumerateFileSystemEntries(Workspace).Select(path => Path.GetFileName(path)));
        }
        finally
        {
            Directory.Delete(outside, recursive: true);
        }
    }

    [Fact]
    public async Task A_hard_link_to_a_file_outside_cannot_be_made_in_a_sandbox()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);

        var run = await sandbox.RunAsync("ln /etc/passwd x; ln /usr/bin/env y; ln /run/cerver/init z");

        Assert.NotEmpty(run.ErrorText);
        Assert.Empty((await ListAsync("")).Entries);
    }

    [Fact]
    public async Task A_pipe_a_socket_and_a_device_are_not_opened_for_reading_and_nobody_waits_for_them()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("mkfifo pipe; python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('socket')\"");
        if (Environment.IsPrivilegedProcess)
        {
            // No program can make one there, and nobody else but root.
            using var make = Process.Start("mknod", [Path.Combine(Workspace, "device"), "c", "1", "5"]);
            await make.WaitForExitAsync();
            Assert.Equal(0, make.ExitCode);
        }

        foreach (var name in (string[])(Environment.IsPrivilegedProcess ? ["pipe", "socket", "device"] : ["pipe", "socket"]))
        {
            var refusal = await RefusalAsync(() => ReadAsync(Of(name)).WaitAsync(TimeSpan.FromSeconds(10)));
            Assert.Equal(CerverError.Conflict, refusal.Code);
            Assert.Contains("no file", refusal.Message, StringComparison.Ordinal);
        }

        await SendAsync("pipe", "a file now");
        Assert.Equal("a file now", await ReadTextAsync("pipe"));
        await DeleteAsync("device");
    }

    [Fact]
    public async Task A_huge_file_with_nothing_in_it_is_read_in_parts_only()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("truncate -s 7000000000 huge; printf end >> huge; truncate -s 8000000000 huge");

        var part = await Files.ReadAsync(_sandboxId, new(Of("huge"), Offset: 6_999_999_998, Count: 6), CancellationToken.None);
        var most = await Files.ReadAsync(_sandboxId, new(Of("huge"), Offset: 0, Count: int.MaxValue), CancellationToken.None);
        var beyond = await Files.ReadAsync(_sandboxId, new(Of("huge"), Offset: long.MaxValue, Count: 10), CancellationToken.None);

        Assert.Equal([0, 0, .. "end"u8, 0], part.Data);
        Assert.True(part.Size > part.MaxBytes);
        Assert.Equal((FileParts.MaxBytes, 0), (most.Data.Length, beyond.Data.Length));
    }

    [Fact]
    public async Task Parts_of_two_files_are_never_taken_for_one_and_a_file_that_grows_can_be_read()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await SendAsync("log", "0123456789");
        var first = await Files.ReadAsync(_sandboxId, new(Of("log"), Offset: 0, Count: 5), CancellationToken.None);

        await sandbox.RunAsync("echo more >> log");
        var second = await Files.ReadAsync(_sandboxId, new(Of("log"), Offset: 5, Count: 5, first.FileId), CancellationToken.None);
        await SendAsync("log", "another");
        var refusal = await RefusalAsync(() => Files.ReadAsync(_sandboxId, new(Of("log"), Offset: 5, Count: 5, first.FileId), CancellationToken.None));

        Assert.Equal(("01234", "56789"), (Encoding.UTF8.GetString(first.Data), Encoding.UTF8.GetString(second.Data)));
        Assert.NotEqual(first.Version, second.Version);
        Assert.Equal(CerverError.Conflict, refusal.Code);
    }

    /// <summary>A program exchanges a directory and a file for links that lead outside, as fast as it can, while files are read, sent and removed.</summary>
    [Fact]
    public async Task Whoever_exchanges_directories_for_links_while_files_are_read_sent_and_removed_gains_nothing()
    {
        var outside = Directory.CreateTempSubdirectory("cerver-outside-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(outside, "file"), "precious");
            File.SetUnixFileMode(outside, (UnixFileMode)0x1ff);
            File.SetUnixFileMode(Path.Combine(outside, "file"), (UnixFileMode)0x1b6);
            await using var sandbox = await fixture.OpenAsync(_sandboxId);
            var program = await sandbox.StartAsync(
                $"""
                import os
                def quiet(call, *arguments):
                  try: call(*arguments)
                  except OSError: pass
                os.mkdir('real'); open('real/file', 'w').write('inside')
                print('up', flush=True)
                while not os.path.exists('stop'):
                  quiet(os.symlink, '{outside}', 'link'); quiet(os.symlink, '{outside}/file', 'real/other')
                  quiet(os.mkdir, 'real'); quiet(os.rename, 'real', 'swap'); quiet(os.rename, 'link', 'd')
                  quiet(os.unlink, 'd'); quiet(os.rename, 'swap', 'd'); quiet(os.rename, 'd/other', 'd/file'); quiet(os.rename, 'd', 'real')
                """, Cerver.Runs.SandboxRuntime.Python);
            await using var output = program.Output.GetAsyncEnumerator();
            await output.ReadLineAsync();

            var tries = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(ExchangeAsync)));
            await SendAsync("stop", "");
            Assert.False(await output.MoveNextAsync());
            await program.Exit;

            // The race was run: it went well at times, and at times a link was in the way.
            Assert.True(tries.Sum(static counts => counts.Well) > 0 && tries.Sum(static counts => counts.Refused) > 0, string.Join(' ', tries));
            Assert.Equal("precious", await File.ReadAllTextAsync(Path.Combine(outside, "file")));
            Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(outside).Select(path => Path.GetFileName(path)));
        }
        finally
        {
            Directory.Delete(outside, recursive: true);
        }

        async Task<(int Well, int Refused)> ExchangeAsync()
        {
            var (well, refused) = (0, 0);
            for (var i = 0; i < 400; i++)
            {
                try
                {
                    switch (i % 4)
                    {
                        case 0:
                            Assert.DoesNotContain("precious", await ReadTextAsync("d/file"), StringComparison.Ordinal);
                            break;
                        case 1:
                            await SendAsync("d/file", "inside");
                            break;
                        case 2:
                            Assert.DoesNotContain((await ListAsync("d")).Entries, static entry => entry is { Kind: SandboxEntryKind.File, Size: 8 });
                            break;
                        default:
                            await DeleteAsync("d", recursive: i % 8 == 3);
                            break;
                    }

                    well++;
                }
                catch (CerverException refusal) when (refusal.Code is CerverError.Conflict or CerverError.NotFound)
                {
                    refused++;
                }
            }

            return (well, refused);
        }
    }

    [Fact]
    public async Task A_directory_is_removed_when_it_is_empty_or_all_of_it_is_to_go()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("mkdir -p empty full/of/things; for i in $(seq 2000); do : > full/of/$i; done; mkfifo full/pipe; ln -s full full/link; : > $'full/\\xff'");

        await DeleteAsync("empty");
        var refusal = await RefusalAsync(() => DeleteAsync("full"));
        await DeleteAsync("full", recursive: true);
        await DeleteAsync("full", recursive: true);
        await DeleteAsync("full");
        await DeleteAsync("nothing/at/all");

        Assert.Equal(CerverError.Conflict, refusal.Code);
        Assert.Contains("recursive=true", refusal.Message, StringComparison.Ordinal);
        Assert.Empty((await ListAsync("")).Entries);
        Assert.Equal(CerverError.InvalidRequest, (await RefusalAsync(() => DeleteAsync("", recursive: true))).Code);
    }

    [Fact]
    public async Task A_directory_that_is_very_deep_is_not_removed_and_the_refusal_says_how()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("import os\nfor i in range(1000):\n  os.mkdir('d'); os.chdir('d')", Cerver.Runs.SandboxRuntime.Python);

        var refusal = await RefusalAsync(() => DeleteAsync("d", recursive: true));

        Assert.Equal(CerverError.Conflict, refusal.Code);
        Assert.Contains("rm -rf", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await sandbox.RunAsync("rm -rf d")).ExitCode);
    }

    [Fact]
    public async Task What_is_no_directory_and_what_is_one_is_refused_in_words()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("mkdir d; : > f");

        Assert.Equal(CerverError.NotFound, (await RefusalAsync(() => ReadAsync(Of("nothing")))).Code);
        Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => ReadAsync(Of("f/x")))).Code);
        Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => ListAsync("f"))).Code);
        Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => SendAsync("f/x", "x"))).Code);
        Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => SendAsync("d", "x"))).Code);
        Assert.Equal(CerverError.InvalidRequest, (await RefusalAsync(() => SendAsync("", "x"))).Code);
        Assert.True((await ReadAsync(Of("d"))).IsDirectory);
        Assert.Equal(2, (await ListAsync("")).Entries.Length);
    }

    [Fact]
    public async Task A_sandbox_without_files_is_told_of()
    {
        Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => ListAsync(""))).Code);
        Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => SendAsync("file", "x"))).Code);
    }

    [Fact]
    public async Task A_file_beyond_the_limit_is_refused_when_that_is_known()
    {
        await using var limited = fixture.CreateProvider(new LocalComputeOptions { MaxTransferBytes = 1_024 });
        await using var sandbox = await fixture.OpenAsync(_sandboxId);

        await limited.Files.BeginAsync(_sandboxId, new("u", Size: 1_024), CancellationToken.None);
        await limited.Files.WriteAsync(_sandboxId, new("u", Offset: 0, new byte[1_000]), CancellationToken.None);
        var part = await RefusalAsync(() => limited.Files.WriteAsync(_sandboxId, new("u", Offset: 1_000, new byte[25]), CancellationToken.None));
        var whole = await RefusalAsync(() => limited.Files.BeginAsync(_sandboxId, new("v", Size: 1_025), CancellationToken.None));

        Assert.Equal((CerverError.PayloadTooLarge, CerverError.PayloadTooLarge), (part.Code, whole.Code));
        Assert.Contains("1024", whole.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_so_many_files_are_sent_to_a_sandbox_at_once()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await using var limited = fixture.CreateProvider(new LocalComputeOptions { MaxUploads = 2 });
        await limited.Files.BeginAsync(_sandboxId, new("one", Size: null), CancellationToken.None);
        await limited.Files.BeginAsync(_sandboxId, new("two", Size: null), CancellationToken.None);
        await limited.Files.BeginAsync(_sandboxId, new("two", Size: null), CancellationToken.None);

        var refusal = await RefusalAsync(() => limited.Files.BeginAsync(_sandboxId, new("three", Size: null), CancellationToken.None));
        await limited.Files.AbandonAsync(_sandboxId, "one", CancellationToken.None);
        await limited.Files.BeginAsync(_sandboxId, new("three", Size: null), CancellationToken.None);

        Assert.Equal(CerverError.RateLimited, refusal.Code);
    }

    [Fact]
    public async Task Every_call_of_an_upload_may_be_made_again_and_what_is_missing_is_noticed()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        for (var again = 0; again < 2; again++)
        {
            await Files.BeginAsync(_sandboxId, new("u", Size: 6), CancellationToken.None);
            await Files.WriteAsync(_sandboxId, new("u", Offset: 0, "abc"u8.ToArray()), CancellationToken.None);
        }

        var hole = await RefusalAsync(() => Files.WriteAsync(_sandboxId, new("u", Offset: 4, "e"u8.ToArray()), CancellationToken.None));
        var tooShort = await RefusalAsync(() => Files.PlaceAsync(_sandboxId, new("u", Of("file"), Size: 6), CancellationToken.None));
        await Files.WriteAsync(_sandboxId, new("u", Offset: 3, "def"u8.ToArray()), CancellationToken.None);
        var placed = await Files.PlaceAsync(_sandboxId, new("u", Of("file"), Size: 6), CancellationToken.None);
        await sandbox.RunAsync("echo program > file");
        var again2 = await Files.PlaceAsync(_sandboxId, new("u", Of("file"), Size: 6), CancellationToken.None);
        var late = await RefusalAsync(() => Files.WriteAsync(_sandboxId, new("u", Offset: 3, "DEF"u8.ToArray()), CancellationToken.None));

        Assert.Equal((CerverError.Conflict, CerverError.Conflict, CerverError.Conflict), (hole.Code, tooShort.Code, late.Code));
        Assert.Equal((true, true), (placed.IsNew, again2.IsNew));
        Assert.Equal("program\n", await ReadTextAsync("file"));
    }

    [Fact]
    public async Task What_is_sent_is_nowhere_before_it_is_complete_and_goes_when_nobody_sends_any_more()
    {
        var time = new FakeTimeProvider();
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await using var provider = new LocalComputeProvider(
            Options.Create(new LocalComputeOptions()), fixture.DataDirectory, time, NullLogger<LocalComputeProvider>.Instance);
        var uploads = Path.Combine(fixture.DataDirectory, "sandboxes", "uploads");
        var before = Count();
        await provider.Files.BeginAsync(_sandboxId, new("u", Size: null), CancellationToken.None);

        time.Advance(TimeSpan.FromMinutes(9));
        await provider.Files.WriteAsync(_sandboxId, new("u", Offset: 0, "abc"u8.ToArray()), CancellationToken.None);
        time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal((before + 1, 0), (Count(), (await ListAsync("")).Entries.Length));
        time.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(before, Count());
        Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => provider.Files.PlaceAsync(_sandboxId, new("u", Of("file"), Size: 3), CancellationToken.None))).Code);
        Assert.Equal("", (await sandbox.RunAsync("ls -A")).Text);

        int Count() => Directory.Exists(uploads) ? Directory.GetFiles(uploads).Length : 0;
    }

    [Fact]
    public async Task A_file_whose_mode_forbids_it_is_read_by_a_gateway_that_is_root_and_refused_in_words_by_others()
    {
        await using var sandbox = await fixture.OpenAsync(_sandboxId);
        await sandbox.RunAsync("echo x > file; chmod 0 file");

        if (Environment.IsPrivilegedProcess)
        {
            Assert.Equal("x\n", await ReadTextAsync("file"));
        }
        else
        {
            Assert.Equal(CerverError.Conflict, (await RefusalAsync(() => ReadAsync(Of("file")))).Code);
        }
    }

    private static SandboxPath Of(string path) => SandboxPath.Parse(Encoding.UTF8.GetBytes(path));

    private static Task<CerverException> RefusalAsync(Func<Task> call) => Assert.ThrowsAsync<CerverException>(call);

    private Task<FilePart> ReadAsync(SandboxPath path) => Files.ReadAsync(_sandboxId, new(path, Offset: 0, FileParts.MaxBytes), CancellationToken.None);

    private async Task<string> ReadTextAsync(string path) => Encoding.UTF8.GetString((await ReadAsync(Of(path))).Data);

    private Task<FileListing> ListAsync(string path) => Files.ListAsync(_sandboxId, new(Of(path), After: [], FileParts.MaxEntries), CancellationToken.None);

    private Task DeleteAsync(string path, bool recursive = false) => Files.DeleteAsync(_sandboxId, new(Of(path), recursive), CancellationToken.None);

    private async Task<bool> SendAsync(string path, string content)
    {
        var (uploadId, data) = ($"{Guid.NewGuid()}", Encoding.UTF8.GetBytes(content));
        await Files.BeginAsync(_sandboxId, new(uploadId, data.Length), CancellationToken.None);
        try
        {
            await Files.WriteAsync(_sandboxId, new(uploadId, Offset: 0, data), CancellationToken.None);
            return (await Files.PlaceAsync(_sandboxId, new(uploadId, Of(path), data.Length), CancellationToken.None)).IsNew;
        }
        finally
        {
            await Files.AbandonAsync(_sandboxId, uploadId, CancellationToken.None);
        }
    }
}
