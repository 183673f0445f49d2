using System.Globalization;
using System.Runtime.InteropServices;

namespace Cerver.Grains.Computes.Local;

/// <summary>The part of the tree of control groups (cgroup v2) in which this process may make groups for its sandboxes.</summary>
/// <param name="directory">The directory of the group above them.</param>
/// <param name="controllers">What can be limited there: some of <c>cpu</c>, <c>memory</c>, <c>pids</c>.</param>
internal sealed partial class CgroupTree(string directory, ImmutableArray<string> controllers)
{
    private const string Prefix = "cerver-";

    /// <summary>Where the gateway itself goes when it is in the way: a group with processes in it can give no controller to groups below.</summary>
    private const string GatewayGroup = "cerver-gateway";

    private const int MoveAttempts = 3;

    private static readonly string[] Wanted = ["cpu", "memory", "pids"];

    /// <summary>The directory of the group above those of the sandboxes.</summary>
    public string Directory { get; } = directory;

    /// <summary>Whether memory is limited there.</summary>
    public bool HoldsMemory { get; } = controllers.Contains("memory");

    /// <summary>Whether processor time is limited there.</summary>
    public bool HoldsCpu { get; } = controllers.Contains("cpu");

    /// <summary>Whether the number of processes is limited there.</summary>
    public bool HoldsProcesses { get; } = controllers.Contains("pids");

    /// <summary>
    /// Finds the group that sandboxes can have theirs in, and makes it ready. When it is the gateway's own, that may have to move into one below.
    /// </summary>
    /// <param name="named">The group that the operator named, or null for the gateway's own.</param>
    /// <param name="proc">Where processes are, <c>/proc</c>.</param>
    /// <param name="processId">This process.</param>
    /// <returns>The tree, or why there is none, a sentence.</returns>
    public static (CgroupTree? Tree, string? Reason) Find(string? named, string proc, int processId)
    {
        try
        {
            var self = Path.Combine(proc, processId.ToString(CultureInfo.InvariantCulture));
            var directory = named ?? FindDirectory(File.ReadAllLines(Path.Combine(self, "mountinfo")), File.ReadAllLines(Path.Combine(self, "cgroup")));
            if (directory is null || !System.IO.Directory.Exists(directory))
            {
                return (null, "No tree of control groups of version 2 is mounted that shows the gateway's own.");
            }

            if (named is null && Path.GetFileName(directory) == GatewayGroup)
            {
                // This process was started by one that had moved itself.
                directory = Path.GetDirectoryName(directory)!;
            }

            ImmutableArray<string> controllers = [.. ReadWords(directory, "cgroup.controllers").Where(word => Wanted.Contains(word, StringComparer.Ordinal))];
            if (controllers.IsEmpty)
            {
                return (null, $"The control group {directory} has none of the controllers cpu, memory and pids.");
            }

            var missing = controllers.Except(ReadWords(directory, "cgroup.subtree_control"), StringComparer.Ordinal).ToList();
            if (missing.Count == 0)
            {
                Try(directory);
            }
            else if (MakeWay(directory, new ProcessTable(proc), processId) is { } reason)
            {
                return (null, reason);
            }
            else
            {
                File.WriteAllText(Path.Combine(directory, "cgroup.subtree_control"), string.Join(' ', missing.Select(controller => $"+{controller}")));
            }

            return (new(directory, controllers), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"The gateway's control group cannot be used: {e.Message}");
        }
    }

    /// <summary>Where a process's own group is, by what its <c>mountinfo</c> and its <c>cgroup</c> say; null when there is nothing to be seen of it.</summary>
    public static string? FindDirectory(string[] mountInfo, string[] cgroup)
    {
        const string UnifiedPrefix = "0::";
        if (Array.Find(cgroup, line => line.StartsWith(UnifiedPrefix, StringComparison.Ordinal)) is not { } own || own.Contains("/..", StringComparison.Ordinal))
        {
            return null;
        }

        var path = own[UnifiedPrefix.Length..];
        foreach (var line in mountInfo)
        {
            // ID, parent, device, root, mount point, options, optional fields, a hyphen, type and more.
            var fields = line.Split(' ');
            var hyphen = Array.IndexOf(fields, "-");
            if (hyphen < 6 || fields[hyphen + 1] != "cgroup2")
            {
                continue;
            }

            var root = fields[3].TrimEnd('/');
            if (path.StartsWith(root, StringComparison.Ordinal) && (path.Length == root.Length || path[root.Length] == '/'))
            {
                return Path.TrimEndingDirectorySeparator(fields[4] + path[root.Length..]);
            }
        }

        return null;
    }

    /// <summary>Makes the group of a sandbox.</summary>
    /// <param name="name">Its name, which begins with that of the gateway.</param>
    /// <param name="options">How much it may have.</param>
    /// <exception cref="IOException">It could not be made; nothing is left of it.</exception>
    public SandboxCgroup Create(string name, LocalComputeOptions options)
    {
        var group = new SandboxCgroup(Path.Combine(Directory, Prefix + name), options);
        System.IO.Directory.CreateDirectory(group.Path);
        try
        {
            if (HoldsMemory)
            {
                group.Write("memory.max", options.MemoryBytes.ToString(CultureInfo.InvariantCulture));
                group.Write("memory.oom.group", "1");
                if (group.Has("memory.swap.max"))
                {
                    group.Write("memory.swap.max", "0");
                }
            }

            if (HoldsCpu)
            {
                const int Period = 100_000;
                group.Write("cpu.max", string.Create(CultureInfo.InvariantCulture, $"{(long)(options.Cpus * Period)} {Period}"));
            }

            if (HoldsProcesses)
            {
                group.Write("pids.max", options.MaxProcesses.ToString(CultureInfo.InvariantCulture));
            }

            return group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            group.Remove();
            throw new IOException($"The control group {group.Path} could not be made: {e.Message}", e);
        }
    }

    /// <summary>The groups that a gateway which is gone has left, by the name that all of them begin with.</summary>
    public IEnumerable<SandboxCgroup> FindLeft(string name, LocalComputeOptions options) =>
        System.IO.Directory.EnumerateDirectories(Directory, $"{Prefix}{name}-*").Select(path => new SandboxCgroup(path, options));

    /// <summary>
    /// Moves what is in the group into one below, or says why not. Only processes above and below this one are moved, and only where the group is
    /// this process's to arrange: the one that it sees as the topmost, as in a container, or one that systemd has delegated.
    /// </summary>
    private static string? MakeWay(string directory, ProcessTable processes, int processId)
    {
        Try(directory);
        if (!File.Exists(Path.Combine(directory, "cgroup.type")))
        {
            // The topmost group of the machine may have processes and give controllers to groups below at once.
            return null;
        }

        for (var attempt = 1; ; attempt++)
        {
            var present = ReadWords(directory, "cgroup.procs").Select(word => int.Parse(word, CultureInfo.InvariantCulture)).ToList();
            if (present.Count == 0)
            {
                return null;
            }

            if (attempt > MoveAttempts)
            {
                return $"The control group {directory} does not become empty: processes are started in it all the time.";
            }

            if (File.Exists(Path.Combine(directory, "..", "cgroup.procs")) && !IsDelegated(directory))
            {
                return $"The control group {directory} is not the gateway's to arrange. Start the gateway as a systemd unit with Delegate=yes, or name a group without processes in Cerver:Compute:Local:CgroupDirectory.";
            }

            var family = processes.Ancestors(processId).Concat(processes.Tree(processId)).ToHashSet();
            if (present.FindIndex(process => !family.Contains(process)) is var stranger and >= 0)
            {
                // One of another process namespace has the number 0 here.
                return $"Process {present[stranger]} is in the control group {directory} too and is not the gateway's to move. Start the gateway in a group of its own, or name one without processes in Cerver:Compute:Local:CgroupDirectory.";
            }

            var leaf = Path.Combine(directory, GatewayGroup);
            System.IO.Directory.CreateDirectory(leaf);
            foreach (var process in present)
            {
                File.WriteAllText(Path.Combine(leaf, "cgroup.procs"), process.ToString(CultureInfo.InvariantCulture));
            }

            processes = processes.Again();
        }
    }

    /// <summary>Whether systemd says that whoever is in the group may arrange it.</summary>
    private static bool IsDelegated(string directory) =>
        GetAttribute(directory, "trusted.delegate", out var mark, 1) == 1 && mark == (byte)'1'
        || (GetAttribute(directory, "user.delegate", out mark, 1) == 1 && mark == (byte)'1');

    [LibraryImport("libc", EntryPoint = "getxattr", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetAttribute(string path, string name, out byte value, nint size);

    /// <summary>Fails where no group may be made.</summary>
    private static void Try(string directory)
    {
        var path = Path.Combine(directory, $"{Prefix}try-{Environment.ProcessId}");
        System.IO.Directory.CreateDirectory(path);
        System.IO.Directory.Delete(path);
    }

    private static string[] ReadWords(string directory, string file) =>
        File.ReadAllText(Path.Combine(directory, file)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
