using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Cerver.Grains.Computes.Local;

/// <summary>The command lines that bring a sandbox up. They hold no secret: everyone on the machine can read them.</summary>
/// <param name="options">Limits and isolation.</param>
/// <param name="files">The directory of the files that sandboxes may read.</param>
internal sealed class SandboxLaunch(LocalComputeOptions options, string files)
{
    /// <summary>Where a sandbox finds its files.</summary>
    public const string Workspace = "/workspace";

    public const string Perl = "/usr/bin/perl";

    private const string Unlimited = "-";
    private const string InsideInit = "/run/cerver/init";
    private const string InsideSocket = "/run/cerver/socket";

    /// <summary>What programs need of /etc. Nothing that could hold a credential: no npmrc, no gitconfig, no private keys of ssl.</summary>
    private static readonly string[] SystemSettings =
    [
        "/etc/alternatives", "/etc/ca-certificates.conf", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/mime.types",
        "/etc/os-release", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/protocols", "/etc/services", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/timezone",
    ];

    /// <summary>The variables of a run: the sandbox's own, none of the gateway's, and over them those of the run.</summary>
    /// <param name="workspace">The workspace as the program sees it.</param>
    /// <param name="variables">The run's.</param>
    public static ImmutableDictionary<string, string> Environment(string workspace, ImmutableDictionary<string, string> variables) =>
        ImmutableDictionary.CreateRange(StringComparer.Ordinal,
        [
            KeyValuePair.Create("HOME", workspace),
            KeyValuePair.Create("LANG", "C.UTF-8"),
            KeyValuePair.Create("LOGNAME", "sandbox"),
            KeyValuePair.Create("PATH", $"{workspace}/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            KeyValuePair.Create("SHELL", "/bin/bash"),
            KeyValuePair.Create("USER", "sandbox"),
        ]).SetItems(variables);

    /// <summary>How a sandbox's container is started.</summary>
    /// <param name="userId">The user id of its own, or null to keep the gateway's.</param>
    /// <param name="workspace">The directory of its files.</param>
    /// <param name="socket">The socket that process 1 connects to.</param>
    /// <param name="network">Whether it gets this machine's network.</param>
    /// <param name="cgroup">The directory of the control group that it goes into before anything else, or null for none.</param>
    /// <param name="limits">What the kernel shall limit for each of its processes.</param>
    public ProcessStartInfo Start(long? userId, string workspace, string socket, bool network, string? cgroup, ProcessLimits limits)
    {
        var start = new ProcessStartInfo(Perl) { RedirectStandardError = true, UseShellExecute = false };

        // Process 1 can be asked for the environment it was started with.
        start.Environment.Clear();
        var machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64";
        var user = userId?.ToString(CultureInfo.InvariantCulture) ?? "-";
        Add(start, Path.Combine(files, LocalRunDirectory.StartScript), machine, user, cgroup ?? Unlimited, Text(options.SpareCpus), limits.Cpus is { } cpus ? Text(cpus) : Unlimited, files, socket, workspace);
        if (options.Isolation == LocalIsolation.None)
        {
            Add(start, Perl, Path.Combine(files, LocalRunDirectory.InitScript), socket);
            AddLimits(start, limits with { Processes = null });
        }
        else if (userId is null)
        {
            AddBubblewrap(start, files, workspace, socket, network);
            AddLimits(start, limits);
        }
        else
        {
            AddBubblewrap(start, "/mnt/files", "/mnt/workspace", "/mnt/socket", network);
            AddLimits(start, limits);
        }

        return start;
    }

    private void AddBubblewrap(ProcessStartInfo start, string ownFiles, string workspace, string socket, bool network)
    {
        Add(start, options.BubblewrapPath, "--unshare-all");
        if (network)
        {
            Add(start, "--share-net");
        }

        Add(start, "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1");
        Add(start, "--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--cap-drop", "ALL", "--seccomp", "3");

        AddSystem(start);
        foreach (var path in SystemSettings)
        {
            Add(start, "--ro-bind-try", path, path);
        }

        foreach (var name in (string[])["passwd", "group", "hosts", "nsswitch.conf", "profile"])
        {
            Add(start, "--ro-bind", $"{ownFiles}/{name}", $"/etc/{name}");
        }

        if (network)
        {
            Add(start, "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf");
        }

        Add(start, "--proc", "/proc", "--dev", "/dev");
        foreach (var path in (string[])["/dev/shm", "/tmp"])
        {
            Add(start, "--perms", "1777", "--size", Text(options.TmpBytes), "--tmpfs", path);
        }

        foreach (var path in (string[])["/home", "/mnt", "/opt", "/root", "/srv", "/sys", "/var"])
        {
            Add(start, "--dir", path);
        }

        Add(start, "--symlink", "/tmp", "/var/tmp", "--symlink", "/run", "/var/run");
        Add(start, "--ro-bind", $"{ownFiles}/{LocalRunDirectory.InitScript}", InsideInit, "--bind", socket, InsideSocket);
        Add(start, "--bind", workspace, Workspace, "--chdir", Workspace);

        // What bubblewrap made itself is memory without a limit; it is of no use once everything stands in it.
        Add(start, "--remount-ro", "/dev", "--remount-ro", "/");

        Add(start, "--", Perl, InsideInit, InsideSocket);
    }

    private static void AddLimits(ProcessStartInfo start, ProcessLimits limits)
    {
        foreach (var limit in (long?[])[limits.Processes, limits.OpenFiles, limits.FileBytes, limits.DataBytes])
        {
            Add(start, limit is { } value ? Text(value) : Unlimited);
        }
    }

    private static void AddSystem(ProcessStartInfo start)
    {
        Add(start, "--ro-bind", "/usr", "/usr");
        foreach (var path in (string[])["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"])
        {
            // Most distributions have links into /usr here, the others directories.
            if (new DirectoryInfo(path).LinkTarget is { } target)
            {
                Add(start, "--symlink", target, path);
            }
            else
            {
                Add(start, "--ro-bind-try", path, path);
            }
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Add(ProcessStartInfo start, params ReadOnlySpan<string> arguments)
    {
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
    }
}

/// <summary>What the kernel limits for each process of a sandbox; null for what it leaves alone.</summary>
/// <param name="Processes">Processes and threads that its user may have.</param>
/// <param name="OpenFiles">Files that a process may have open.</param>
/// <param name="FileBytes">How large a file may become; 0 when none may grow.</param>
/// <param name="DataBytes">Memory of its own that a process may have, used or not.</param>
/// <param name="Cpus">On how many processors they may be, all together.</param>
internal sealed record ProcessLimits(long? Processes, long? OpenFiles, long? FileBytes, long? DataBytes, long? Cpus);
