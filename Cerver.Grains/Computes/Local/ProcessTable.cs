using System.Globalization;

namespace Cerver.Grains.Computes.Local;

/// <summary>The processes of this machine at one moment.</summary>
internal sealed class ProcessTable
{
    private readonly string _proc;
    private readonly Dictionary<int, (int Parent, long ResidentPages)> _processes = [];
    private readonly Dictionary<int, List<int>> _children = [];

    /// <summary>Reads those that there are now. One that ends meanwhile may be missing.</summary>
    /// <param name="proc">Where they are, <c>/proc</c>.</param>
    public ProcessTable(string proc)
    {
        _proc = proc;
        foreach (var directory in Directory.EnumerateDirectories(proc))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                && TryRead(Path.Combine(directory, "stat")) is { } line)
            {
                // The name in the brackets is the process's own choice. What follows is the state, the parent, and at the 22nd place the memory.
                var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
                var parent = int.Parse(fields[1], CultureInfo.InvariantCulture);
                _processes[process] = (parent, long.Parse(fields[21], CultureInfo.InvariantCulture));
                if (!_children.TryGetValue(parent, out var children))
                {
                    _children[parent] = children = [];
                }

                children.Add(process);
            }
        }
    }

    /// <summary>Those that there are now.</summary>
    public ProcessTable Again() => new(_proc);

    /// <summary>A process and all below it, as far as they are there.</summary>
    public List<int> Tree(int root)
    {
        List<int> found = _processes.ContainsKey(root) ? [root] : [];

        // Ids that were given anew while they were read could make a circle.
        var seen = found.ToHashSet();
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange((_children.GetValueOrDefault(found[i]) ?? []).Where(seen.Add));
        }

        return found;
    }

    /// <summary>All above a process.</summary>
    public IEnumerable<int> Ancestors(int process)
    {
        var seen = new HashSet<int>();
        while (_processes.TryGetValue(process, out var known) && known.Parent > 0 && seen.Add(known.Parent))
        {
            yield return process = known.Parent;
        }
    }

    /// <summary>How much memory processes have, where what several share counts for each: no less than they take.</summary>
    public long ResidentBytes(IEnumerable<int> processes) => processes.Sum(process => _processes[process].ResidentPages) * Environment.SystemPageSize;

    /// <summary>Reads a file of a process that may be gone by now.</summary>
    public static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
