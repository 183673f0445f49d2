using System.Diagnostics;
using k8s.Models;

namespace Cerver.Tests.Kubernetes;

/// <summary>
/// The program of a container as a process of this machine, shut in as in a pod: not root, without any right, on a file system that it
/// cannot write to.
/// </summary>
internal sealed class PodProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task<string> _said;
    private readonly Task<string> _errors;

    private PodProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        _said = ReadAsync();
    }

    /// <summary>Starts a program of ours.</summary>
    /// <param name="assembly">The name of its assembly.</param>
    /// <param name="workload">Whose user it is.</param>
    /// <param name="start">Its environment and its arguments.</param>
    /// <param name="serviceAccount">The directory with its token for Kubernetes, or null.</param>
    public static PodProcess Start(string assembly, Workload workload, ContainerStart start, string? serviceAccount)
    {
        var security = workload.Template.Spec.SecurityContext;
        string[] account = serviceAccount is null ? [] : ["--ro-bind", serviceAccount, "/run/secrets/kubernetes.io/serviceaccount"];
        var info = new ProcessStartInfo("bwrap",
        [
            "--die-with-parent", "--unshare-user", "--uid", $"{security.RunAsUser}", "--gid", $"{security.RunAsGroup}", "--cap-drop", "ALL", "--new-session",
            "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run", .. account, "--remount-ro", "/run",
            "dotnet", Path.Combine(AppContext.BaseDirectory, $"{assembly}.dll"), .. start.Arguments,
        ])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };

        // What the base image and the container runtime put into the environment. The home directory cannot be written to there either.
        var path = info.Environment["PATH"];
        info.Environment.Clear();
        info.Environment["PATH"] = path;
        info.Environment["HOME"] = "/home/app";
        info.Environment["ASPNETCORE_HTTP_PORTS"] = "8080";
        info.Environment["DOTNET_RUNNING_IN_CONTAINER"] = "true";
        foreach (var (name, value) in start.Environment)
        {
            info.Environment[name] = value;
        }

        return new(Process.Start(info)!);
    }

    /// <summary>Completes with the address when the program has said that it is up.</summary>
    public Task<Uri> UpAsync() => _up.Task.WaitAsync(Limit);

    /// <summary>Completes with the exit code and what was said when the program has ended.</summary>
    public async Task<(int ExitCode, string Said)> EndedAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        await _process.WaitForExitAsync(limit.Token);
        return (_process.ExitCode, await _said + await _errors);
    }

    /// <summary>Asks the program to stop, as Kubernetes does, and waits until it has.</summary>
    public async Task<(int ExitCode, string Said)> StopAsync()
    {
        // Its parent is what shuts it in, and would pass no signal on.
        var program = (await File.ReadAllTextAsync($"/proc/{_process.Id}/task/{_process.Id}/children")).Trim();
        await Command.RunAsync("kill", ["-TERM", program]);
        return await EndedAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> ReadAsync()
    {
        const string Up = " is up at ";
        var said = new List<string>();
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (line.IndexOf(Up, StringComparison.Ordinal) is >= 0 and var at)
            {
                _up.TrySetResult(new(line[(at + Up.Length)..]));
            }
        }

        var everything = string.Join('\n', said);
        _up.TrySetException(new InvalidOperationException($"The program ended early: {everything} {await _errors}"));
        return everything;
    }
}
