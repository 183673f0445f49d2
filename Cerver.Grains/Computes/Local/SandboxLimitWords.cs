using System.Globalization;

namespace Cerver.Grains.Computes.Local;

/// <summary>What a run is told that reached a limit, as the last line of its standard error.</summary>
internal static class SandboxLimitWords
{
    /// <summary>The sandbox was ended for its memory.</summary>
    public static string Memory(long bytes) => string.Create(
        CultureInfo.InvariantCulture,
        $"[Cerver: the sandbox used more memory than it may have ({bytes} bytes, Cerver:Compute:Local:MemoryBytes) and was ended; its files are kept.]\n");

    /// <summary>The sandbox was ended for the size of its files.</summary>
    public static string Disk(long bytes) => string.Create(
        CultureInfo.InvariantCulture,
        $"[Cerver: the files of the sandbox took more room than they may ({bytes} bytes, Cerver:Compute:Local:DiskBytes) and it was ended. They are kept, and no file can grow until there is room: remove some, then pause and resume the session.]\n");

    /// <summary>The sandbox was ended because nobody can tell how large its files are.</summary>
    public static string Immeasurable(TimeSpan patience) => string.Create(
        CultureInfo.InvariantCulture,
        $"[Cerver: the files of the sandbox could not be measured within {patience.TotalSeconds:0} s, so many there are, and it was ended. They are kept: remove some.]\n");

    /// <summary>A program ended badly, and meanwhile the sandbox could have no further process.</summary>
    public static string Processes(long count) => string.Create(
        CultureInfo.InvariantCulture,
        $"[Cerver: while this ran the sandbox had as many processes as it may have ({count}, Cerver:Compute:Local:MaxProcesses).]\n");
}
