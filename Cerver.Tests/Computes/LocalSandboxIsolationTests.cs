using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cerver.Errors;
using Cerver.Grains.Computes.Local;
using Cerver.Runs;
using Microsoft.Win32.SafeHandles;

namespace Cerver.Tests.Computes;

public sealed class LocalSandboxIsolationTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    [Fact]
    public async Task The_data_directory_does_not_exist_in_a_sandbox()
    {
        await using var sandbox = await fixture.OpenAsync();
        await File.WriteAllTextAsync(Path.Combine(fixture.DataDirectory, "secret"), "x");

        var run = await sandbox.RunAsync($"cat '{fixture.DataDirectory}/secret'; ls -d '{fixture.DataDirectory}' /root/.* /home/* /proc/1/root/* /proc/1/cwd/.. 2>&1 | grep -v 'cannot access\\|root/\\.\\.\\?$'");

        Assert.Equal("", run.Text);
        Assert.Contains("No such file", run.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_the_gateways_environment_can_be_read()
    {
        var secret = Guid.NewGuid().ToString("n");
        Environment.SetEnvironmentVariable("CERVER_TEST_SECRET", secret);
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("env; for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done; true");

        Assert.Contains("HOME=/workspace", run.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, run.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("CERVER", run.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("DOTNET", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_the_gateway_was_started_with_stay_outside()
    {
        // Unlike everything that .NET opens, a duplicate is handed on to processes that are started.
        using var file = File.OpenHandle("/etc/hostname");
        var inherited = Enumerable.Range(0, 4).Select(_ => Duplicate(file)).ToList();
        try
        {
            await using var sandbox = await fixture.OpenAsync();

            var run = await sandbox.RunAsync("for fd in /proc/self/fd/*; do readlink $fd; done");

            Assert.DoesNotContain("hostname", run.Text, StringComparison.Ordinal);
        }
        finally
        {
            inherited.ForEach(handle => handle.Dispose());
        }

        static SafeFileHandle Duplicate(SafeFileHandle file) => new(NativeDuplicate(file.DangerousGetHandle().ToInt32()), ownsHandle: true);

        [DllImport("libc", EntryPoint = "dup"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern int NativeDuplicate(int descriptor);
    }

    [Fact]
    public async Task Process_1_shows_neither_its_memory_nor_its_files()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync(
            """
            exec 2>/dev/null
            for file in environ maps mem stack syscall auxv; do head -c 1 /proc/1/$file && echo $file can be read; done
            ls /proc/1/fd && echo files can be listed
            true >> /proc/1/mem && echo memory can be written
            readlink /proc/1/exe /proc/1/cwd /proc/1/root && echo links can be read
            """);

        Assert.Equal("", run.Text);
    }

    [Fact]
    public async Task Processes_of_this_machine_do_not_exist()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync($"cat /proc/[0-9]*/comm | sort | uniq | tr '\\n' ' '; kill -0 {Environment.ProcessId}");

        Assert.DoesNotContain("dotnet", run.Text, StringComparison.Ordinal);
        Assert.Contains("perl", run.Text, StringComparison.Ordinal);
        Assert.Equal(1, run.ExitCode);
    }

    [Theory]
    [InlineData("cat /etc/shadow")]
    [InlineData("cat /etc/npmrc")]
    [InlineData("ls /etc/ssl/private")]
    [InlineData("ls /etc/ssh")]
    [InlineData("ls /var/lib/dpkg")]
    [InlineData("ls /sys/class")]
    [InlineData("ls /dev/mem /dev/kmsg /dev/vda /dev/sda")]
    public async Task What_no_program_needs_is_not_there(string code)
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync(code);

        Assert.Equal("", run.Text);
        Assert.NotEqual(0, run.ExitCode);
    }

    [Theory]
    [InlineData("/usr/x")]
    [InlineData("/usr/local/bin/x")]
    [InlineData("/etc/x")]
    [InlineData("/etc/passwd")]
    [InlineData("/x")]
    [InlineData("/home/x")]
    [InlineData("/root/x")]
    [InlineData("/run/x")]
    [InlineData("/run/cerver/init")]
    [InlineData("/sys/x")]
    [InlineData("/dev/x")]
    [InlineData("/proc/sys/kernel/core_pattern")]
    [InlineData("/proc/sys/kernel/hostname")]
    [InlineData("/proc/sys/user/max_user_namespaces")]
    [InlineData("/proc/sysrq-trigger")]
    [InlineData("/sys/fs/cgroup/x")]
    [InlineData("/proc/self/exe")]
    [InlineData("/proc/1/exe")]
    public async Task Nothing_outside_the_workspace_can_be_written(string path)
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync($"echo x > {path}");

        Assert.Equal(1, run.ExitCode);
        Assert.NotEmpty(run.ErrorText);
    }

    [Fact]
    public async Task The_workspace_and_temporary_files_can_be_written_and_memory_files_have_a_limit()
    {
        await using var limited = fixture.CreateProvider(new LocalComputeOptions { TmpBytes = 1 << 20 });
        await limited.ProbeAsync(CancellationToken.None);
        await using var sandbox = await limited.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);

        var run = await sandbox.RunAsync(
            "echo 1 > a && echo 2 > /tmp/b && echo 3 > /dev/shm/c && cat a /tmp/b /dev/shm/c; for d in /tmp /dev/shm; do head -c 2000000 /dev/zero > $d/big || echo full; done");

        Assert.Equal("1\n2\n3\nfull\nfull\n", run.Text);
    }

    [Fact]
    public async Task Two_sandboxes_do_not_see_each_other()
    {
        await using var one = await fixture.OpenAsync();
        await using var other = await fixture.OpenAsync();
        await one.RunAsync("echo x > mine; echo x > /tmp/mine; echo x > /dev/shm/mine; sleep 1234 & python3 -m http.server 8098 & sleep 0.3");

        var run = await other.RunAsync("find / -name mine 2>/dev/null; cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 1234$'; echo > /dev/tcp/127.0.0.1/8098");

        Assert.Equal("0\n", run.Text);
        Assert.Contains("refused", run.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_is_no_network_unless_it_was_asked_for()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using var closed = await fixture.OpenAsync();
        await using var open = await fixture.OpenAsync(network: true);
        var code =
            $"ls /proc/sys/net/ipv4/conf | grep -vc '^all$\\|^default$\\|^lo$'; exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected";

        Assert.Equal("0\n", (await closed.RunAsync(code)).Text);
        Assert.EndsWith("connected\n", (await open.RunAsync(code)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operator_can_forbid_the_network()
    {
        await using var provider = fixture.CreateProvider(new LocalComputeOptions { AllowNetwork = false });
        await provider.ProbeAsync(CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<CerverException>(
            () => provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: true), CancellationToken.None));

        Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
        Assert.False(provider.Describe().Network);
    }

    [Theory]
    [InlineData("unshare --user true", 1)]
    [InlineData("unshare --mount true", 1)]
    [InlineData("bwrap --ro-bind / / true", 1)]
    [InlineData("mount -t tmpfs x /tmp", 1)]
    [InlineData("chroot / true", 125)]
    [InlineData("dmesg", 1)]
    [InlineData("mknod disk b 8 0", 1)]
    [InlineData("nsenter --target 1 --mount true", 1)]
    [InlineData("cp /bin/bash own && chmod u+s own && chown 0 own", 1)]
    public async Task Tools_that_need_more_than_a_sandbox_has_fail(string code, int exitCode)
    {
        await using var sandbox = await fixture.OpenAsync();

        Assert.Equal(exitCode, (await sandbox.RunAsync(code)).ExitCode switch { 32 => 1, var other => other });
    }

    // Numbers of x86-64. What is refused must be refused by the filter: with its own answer, whatever the arguments.
    [Theory]
    [InlineData("ptrace", 101, 0, 1)]
    [InlineData("process_vm_readv", 310, 1, 1)]
    [InlineData("process_vm_writev", 311, 1, 1)]
    [InlineData("open_by_handle_at", 304, 0, 1)]
    [InlineData("name_to_handle_at", 303, 0, 1)]
    [InlineData("mount", 165, 0, 1)]
    [InlineData("keyctl", 250, 0, 1)]
    [InlineData("add_key", 248, 0, 1)]
    [InlineData("request_key", 249, 0, 1)]
    [InlineData("init_module", 175, 0, 1)]
    [InlineData("bpf", 321, 0, 1)]
    [InlineData("perf_event_open", 298, 0, 1)]
    [InlineData("userfaultfd", 323, 0, 1)]
    [InlineData("unshare", 272, 0x10000000, 1)]
    [InlineData("setns", 308, 0, 1)]
    [InlineData("clone with a user namespace", 56, 0x10000011, 1)]
    [InlineData("clone3", 435, 0, 38)]
    [InlineData("io_uring_setup", 425, 1, 38)]
    [InlineData("fsopen", 430, 0, 38)]
    [InlineData("a call of the x32 kind", 0x40000000 + 39, 0, 38)]
    [InlineData("socket of the hypervisor", 41, 40, 97)]
    [InlineData("personality with executable memory", 135, 0x0400000, 1)]
    public async Task A_system_call_that_no_program_needs_is_refused(string name, int number, int argument, int error)
    {
        if (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64)
        {
            return;
        }

        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync(
            $"import ctypes; c = ctypes.CDLL(None, use_errno=True); print(c.syscall(ctypes.c_long({number}), ctypes.c_long({argument}), 0, 0, 0, 0), ctypes.get_errno())",
            SandboxRuntime.Python);

        Assert.Equal((name, $"-1 {error}\n"), (name, run.Text));
    }

    [Fact]
    public async Task There_is_no_socket_of_this_machine_and_the_sandboxes_own_takes_nobody()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync(
            """
            import os, socket
            for directory, _, files in os.walk('/'):
              for name in files if not directory.startswith('/proc') else []:
                path = os.path.join(directory, name)
                if os.path.exists(path) and (os.stat(path).st_mode & 0o170000) == 0o140000:
                  print(path)
                  try: socket.socket(socket.AF_UNIX).connect(path)
                  except OSError as e: print(e.errno)
            """,
            SandboxRuntime.Python);

        Assert.Equal("/run/cerver/socket\n111\n", run.Text);
    }

    [Fact]
    public async Task Sockets_without_a_path_are_those_of_its_own_network()
    {
        var name = Guid.NewGuid().ToString("n");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint($"\0{name}"));
        listener.Listen(1);
        await using var closed = await fixture.OpenAsync();
        await using var open = await fixture.OpenAsync(network: true);
        var code = $"import socket\ntry:\n  socket.socket(socket.AF_UNIX).connect('\\x00{name}')\n  print('connected')\nexcept OSError as e: print(e.errno)";

        Assert.Equal("111\n", (await closed.RunAsync(code, SandboxRuntime.Python)).Text);

        // With the network of this machine there is no wall here, as docs/security.md says.
        Assert.Equal("connected\n", (await open.RunAsync(code, SandboxRuntime.Python)).Text);
    }

    [Fact]
    public async Task Nothing_of_the_control_groups_is_shown()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("ls -A /sys; grep -c cgroup /proc/self/mountinfo; find / -name release_agent 2>/dev/null");

        Assert.Equal("0\n", run.Text);
    }

    [Fact]
    public async Task Keystrokes_cannot_be_put_into_a_terminal()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync(
            "import fcntl, os, pty, termios\nm, s = pty.openpty()\ntry:\n  fcntl.ioctl(s, termios.TIOCSTI, b'x')\nexcept OSError as e:\n  print(e.errno)", SandboxRuntime.Python);

        Assert.Equal("1\n", run.Text);
    }

    [Fact]
    public async Task A_program_has_no_privilege_and_gains_none()
    {
        await using var sandbox = await fixture.OpenAsync();

        var run = await sandbox.RunAsync("id -u; grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; ulimit -c; hostname; ls -A");

        Assert.Equal(
            "1000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n0\nsandbox\n", run.Text);
    }

    [Fact]
    public async Task A_sandbox_may_have_only_so_many_processes()
    {
        await using var limited = fixture.CreateProvider(new LocalComputeOptions { MaxProcesses = 16 });
        await limited.ProbeAsync(CancellationToken.None);
        await using var sandbox = await limited.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: false), CancellationToken.None);

        var run = await sandbox.RunAsync(
            "import os\nn = 0\ntry:\n  while n < 100:\n    if os.fork() == 0:\n      import time; time.sleep(1000)\n    n += 1\nexcept OSError:\n  pass\nprint(n, flush=True)\nos.kill(0, 9)", SandboxRuntime.Python);

        Assert.InRange(int.Parse(run.Text, System.Globalization.CultureInfo.InvariantCulture), 8, 15);
        Assert.Equal(0, (await sandbox.RunAsync("true")).ExitCode);
    }
}
