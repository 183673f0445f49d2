using System.Globalization;

namespace Cerver.Grains.Computes.Local;

/// <summary>The control group of one sandbox: all that runs in it, and what it may have at most.</summary>
/// <param name="path">Its directory.</param>
/// <param name="options">What it may have, for the words that say so.</param>
internal sealed class SandboxCgroup(string path, LocalComputeOptions options)
{
    private const int RemoveAttempts = 100;

    private static readonly TimeSpan RemoveInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Its directory.</summary>
    public string Path { get; } = path;

    /// <summary>How often it could have no further process, so far.</summary>
    public long ProcessRefusals => ReadEvent("pids.events", "max");

    /// <summary>What the kernel ended it for, a line that says which setting, or null when it did not.</summary>
    public string? Explain() => ReadEvent("memory.events", "oom_kill") > 0 ? SandboxLimitWords.Memory(options.MemoryBytes) : null;

    /// <summary>Whether it could have no further process since it was so often, a line that says which setting, or null.</summary>
    public string? ExplainRefusals(long before) => ProcessRefusals > before ? SandboxLimitWords.Processes(options.MaxProcesses) : null;

    /// <summary>Whether the kernel has a file of this name for it.</summary>
    public bool Has(string file) => File.Exists(System.IO.Path.Combine(Path, file));

    /// <summary>Writes one of its files.</summary>
    public void Write(string file, string value) => File.WriteAllText(System.IO.Path.Combine(Path, file), value);

    /// <summary>Ends whatever is still in it, and removes it. The kernel takes a moment to let go of what it ended.</summary>
    /// <returns>Whether it is gone.</returns>
    public async Task<bool> RemoveAsync(TimeProvider time)
    {
        for (var attempt = 1; attempt <= RemoveAttempts; attempt++)
        {
            if (Remove())
            {
                return true;
            }

            Kill();
            await Task.Delay(RemoveInterval, time);
        }

        return false;
    }

    /// <summary>Removes it if nothing is in it.</summary>
    /// <returns>Whether it is gone.</returns>
    public bool Remove()
    {
        try
        {
            Directory.Delete(Path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Ends all that is in it at once. Kernels before 5.14 cannot; there the end of process 1 has to do.</summary>
    private void Kill()
    {
        if (!Has("cgroup.kill"))
        {
            return;
        }

        try
        {
            Write("cgroup.kill", "1");
        }
        catch (IOException)
        {
            // It went away by itself, which the next attempt to remove it finds.
        }
    }

    private long ReadEvent(string file, string name)
    {
        if (!Has(file))
        {
            return 0;
        }

        foreach (var line in File.ReadLines(System.IO.Path.Combine(Path, file)))
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ' ')
            {
                return long.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }
}
