using System.Diagnostics;
using Cerver.Bench.Gateways;

namespace Cerver.Bench.Runs;

/// <summary>A bubblewrap container that is built for one program, with the namespaces and mounts of a minimal sandbox.</summary>
internal sealed class BareSandbox : IDisposable
{
    private static readonly string[] Isolation =
    [
        "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session",
        "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin",
    ];

    private readonly WorkDirectory _workspace;

    /// <summary>Makes its workspace on the disk of the repository.</summary>
    public BareSandbox(Repository repository) => _workspace = repository.MakeWorkDirectory();

    /// <summary>Starts a program in a container of its own, waits for both to end and returns how long that took.</summary>
    /// <exception cref="BenchException">The program or the container failed.</exception>
    public TimeSpan Run(params string[] program)
    {
        string[] workspace = ["--bind", _workspace.Path, "/workspace", "--chdir", "/workspace"];
        var start = new ProcessStartInfo("bwrap", [.. Isolation, .. workspace, "--", .. program]);
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(start) ?? throw new UnreachableException("A new process is always a new one.");
        process.WaitForExit();
        var elapsed = Stopwatch.GetElapsedTime(started);
        return process.ExitCode == 0
            ? elapsed
            : throw new BenchException($"bwrap … {string.Join(' ', program)} ended with exit code {process.ExitCode}.");
    }

    /// <inheritdoc/>
    public void Dispose() => _workspace.Dispose();
}
