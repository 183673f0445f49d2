using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Cerver.Runs;

namespace Cerver.Grains.Computes.Local;

/// <summary>Finds out what this machine lacks for sandboxes, in words that say what to do, and what executes code in them.</summary>
internal static class LocalComputeProbe
{
    private static readonly Version OldestBubblewrap = new(0, 8);

    /// <summary>What is missing for certain, one sentence, or null.</summary>
    public static async Task<string?> FindMissingAsync(LocalComputeOptions options, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            return "Sandboxes on the gateway's own machine need Linux on x86-64 or ARM64.";
        }

        if (!File.Exists(SandboxLaunch.Perl))
        {
            return $"{SandboxLaunch.Perl} is missing: install it with 'apt-get install perl-base'.";
        }

        if (options.Isolation == LocalIsolation.None)
        {
            return null;
        }

        if (!File.Exists(options.BubblewrapPath))
        {
            return $"bubblewrap is not installed ({options.BubblewrapPath}): install it with 'apt-get install bubblewrap'.";
        }

        var version = await ReadVersionAsync(options.BubblewrapPath, cancellationToken);
        return version is null || version < OldestBubblewrap
            ? $"{options.BubblewrapPath} is not bubblewrap {OldestBubblewrap} or newer: install one that is."
            : null;
    }

    /// <summary>Why a sandbox did not come up although everything is installed, one sentence.</summary>
    /// <param name="options">The settings it was opened with.</param>
    /// <param name="isRoot">Whether the gateway is root.</param>
    public static string Explain(LocalComputeOptions options, bool isRoot)
    {
        if (options.Isolation == LocalIsolation.None)
        {
            return "Process 1 of a sandbox did not start; the gateway's log says why.";
        }

        if (ReadSetting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        {
            return "The kernel lets nobody but root make user namespaces: run 'sysctl -w kernel.unprivileged_userns_clone=1'.";
        }

        if (ReadSetting("/proc/sys/user/max_user_namespaces") == 0)
        {
            return "The kernel makes no user namespaces: run 'sysctl -w user.max_user_namespaces=10000'.";
        }

        if (ReadSetting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        {
            return "AppArmor restricts user namespaces: allow them to bubblewrap with a profile, or run 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'.";
        }

        return isRoot
            ? "bubblewrap may not make a container here: in a container allow CAP_SYS_ADMIN, user namespaces and an unmasked /proc, and see that "
                + "FirstUserId and UserIdCount name user ids that exist; the gateway's log has its words."
            : "bubblewrap may not make a container here: in a container allow user namespaces and an unmasked /proc; the gateway's log has its words.";
    }

    /// <summary>Looks into a sandbox for what executes code there.</summary>
    public static async Task<ImmutableArray<SandboxRuntime>> FindRuntimesAsync(ISandbox sandbox, CancellationToken cancellationToken)
    {
        const string Code = "for name in bash node python3; do command -v $name >/dev/null && echo $name; done; true";
        var process = await sandbox.StartAsync(new(Code, SandboxRuntime.Shell, ImmutableDictionary<string, string>.Empty), cancellationToken);
        var text = new StringBuilder();
        await foreach (var output in process.Output.WithCancellation(cancellationToken))
        {
            text.Append(Encoding.ASCII.GetString(output.Data.Span));
        }

        return
        [
            .. text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(name => name switch
            {
                "bash" => SandboxRuntime.Shell,
                "node" => SandboxRuntime.Node,
                _ => SandboxRuntime.Python,
            }),
        ];
    }

    private static async Task<Version?> ReadVersionAsync(string path, CancellationToken cancellationToken)
    {
        string line;
        try
        {
            using var process = Process.Start(new ProcessStartInfo(path, ["--version"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
            line = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (Win32Exception)
        {
            // It is there and cannot be executed, so it is not what it should be.
            return null;
        }

        return Version.TryParse(line.AsSpan(line.LastIndexOf(' ') + 1).Trim(), out var version) ? version : null;
    }

    private static int? ReadSetting(string path) =>
        File.Exists(path) && int.TryParse(File.ReadAllText(path), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var value) ? value : null;
}
