using System.Globalization;

namespace Cerver.Bench.Faults;

/// <summary>A process of this machine, as /proc shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Parent">The id of the process that started it, or that has adopted it.</param>
/// <param name="CommandLine">Its arguments with spaces between them; empty when it is a process of the kernel, or over.</param>
internal sealed record HostProcess(int Id, int Parent, string CommandLine);

/// <summary>The processes of this machine, containers included.</summary>
internal static class HostProcesses
{
    /// <summary>In which the kernel tells times: USER_HZ.</summary>
    private const int TicksPerSecond = 100;

    private static readonly TimeSpan SecondLook = TimeSpan.FromMilliseconds(500);

    /// <summary>All of them, in no order.</summary>
    public static IEnumerable<HostProcess> All()
    {
        foreach (var directory in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Read(id) is { } process)
            {
                yield return process;
            }
        }
    }

    /// <summary>Everything that descends from a process, itself first.</summary>
    public static HostProcess[] Tree(int root) => Tree(root, [.. All()]);

    /// <summary>The processor time of everything that descends from a process, itself and those that have ended included.</summary>
    public static TimeSpan ProcessorTimeOf(int root) =>
        TimeSpan.FromSeconds(Tree(root).Sum(process => ReadTicks(process.Id)) / (double)TicksPerSecond);

    /// <summary>What was left behind by servers that are gone, as sentences.</summary>
    /// <param name="living">The servers that live. What descends from them is theirs.</param>
    /// <param name="before">What descended from those that are gone.</param>
    /// <param name="mark">A word in the command lines of all that is theirs.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task<IReadOnlyList<string>> FindOrphansAsync(
        IReadOnlyList<int> living, IReadOnlySet<HostProcess> before, string mark, CancellationToken cancellationToken)
    {
        var suspects = Look();
        if (suspects.Count == 0)
        {
            return [];
        }

        // A process whose parent ends at this moment looks like an orphan until it is somebody else's child, or ends too.
        await Task.Delay(SecondLook, cancellationToken);
        var still = Look().Select(process => process.Id).ToHashSet();
        return [.. suspects.Where(suspect => still.Contains(suspect.Id)).Select(orphan => $"Process {orphan.Id} of a gateway that is gone lives on: {orphan.CommandLine}")];

        List<HostProcess> Look()
        {
            var all = All().ToArray();
            var own = living.SelectMany(root => Tree(root, all)).Select(process => process.Id).ToHashSet();
            return [.. all.Where(process => !own.Contains(process.Id) && (before.Contains(process) || process.CommandLine.Contains(mark, StringComparison.Ordinal)))];
        }
    }

    private static HostProcess[] Tree(int root, HostProcess[] all)
    {
        List<HostProcess> tree = [.. all.Where(p => p.Id == root)];
        for (var i = 0; i < tree.Count; i++)
        {
            tree.AddRange(all.Where(p => p.Parent == tree[i].Id));
        }

        return [.. tree];
    }

    /// <summary>In user and kernel mode, its own and that of the children that it has waited for.</summary>
    private static long ReadTicks(int id)
    {
        try
        {
            return ReadStat(id)[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // It has ended in between, and its parent has what it took.
            return 0;
        }
    }

    /// <summary>What the kernel tells of a process, from its state on.</summary>
    private static string[] ReadStat(int id)
    {
        var stat = File.ReadAllText($"/proc/{id}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static HostProcess? Read(int id)
    {
        try
        {
            var fields = ReadStat(id);
            return new(id, int.Parse(fields[1], CultureInfo.InvariantCulture), File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' '));
        }
        catch (IOException)
        {
            // It has ended in between.
            return null;
        }
    }
}
