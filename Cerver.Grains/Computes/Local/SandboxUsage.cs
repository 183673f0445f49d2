using System.Globalization;
using System.Runtime.InteropServices;

namespace Cerver.Grains.Computes.Local;

/// <summary>How much memory and disk the processes of a sandbox hold, where no control group counts it.</summary>
internal static partial class SandboxUsage
{
    private const int BlockBytes = 512;
    private const ushort FileType = 0xF000;
    private const ushort RegularFile = 0x8000;
    private const uint BasicStatistics = 0x7ff;

    /// <summary>
    /// Memory of processes, each page once. What nobody has mapped but holds open counts too: a file that is only memory.
    /// </summary>
    /// <param name="proc">Where processes are, <c>/proc</c>.</param>
    /// <param name="processes">The processes.</param>
    /// <param name="heldBytes">What <see cref="HeldBytes"/> found of files that are memory.</param>
    /// <param name="residentOf">What to take for a process that does not show how it shares its memory.</param>
    public static long MemoryBytes(string proc, IEnumerable<int> processes, long heldBytes, Func<int, long> residentOf)
    {
        var own = 0L;
        var shared = 0L;
        foreach (var process in processes)
        {
            if (ProcessTable.TryRead(Path.Combine(proc, process.ToString(CultureInfo.InvariantCulture), "smaps_rollup")) is { Length: > 0 } text)
            {
                var sharedByFiles = ReadKilobytes(text, "Pss_Shmem:");
                own += ReadKilobytes(text, "Pss:") - sharedByFiles;
                shared += sharedByFiles;
            }
            else
            {
                own += residentOf(process);
            }
        }

        // What is both held open and mapped is in both.
        return own + Math.Max(shared, heldBytes);
    }

    /// <summary>
    /// What processes hold open that has no name any more: on the device of their files, and elsewhere, which is memory. Nobody else finds it.
    /// </summary>
    /// <param name="proc">Where processes are, <c>/proc</c>.</param>
    /// <param name="processes">The processes.</param>
    /// <param name="workspace">A directory on the device.</param>
    public static (long Disk, long Memory) HeldBytes(string proc, IEnumerable<int> processes, string workspace)
    {
        var seen = new HashSet<(uint Major, uint Minor, ulong Inode)>();
        var disk = 0L;
        var memory = 0L;
        var home = Read(workspace);
        foreach (var process in processes)
        {
            foreach (var file in ListOpen(Path.Combine(proc, process.ToString(CultureInfo.InvariantCulture), "fd")))
            {
                // The end of the name only saves the question: the answer is the kernel's.
                if (new FileInfo(file).LinkTarget?.EndsWith(" (deleted)", StringComparison.Ordinal) != true
                    || Read(file) is not { } found || found.Links != 0 || (found.Mode & FileType) != RegularFile
                    || !seen.Add((found.DeviceMajor, found.DeviceMinor, found.Inode)))
                {
                    continue;
                }

                if (home is { } device && device.DeviceMajor == found.DeviceMajor && device.DeviceMinor == found.DeviceMinor)
                {
                    disk += (long)found.Blocks * BlockBytes;
                }
                else
                {
                    memory += (long)found.Blocks * BlockBytes;
                }
            }
        }

        return (disk, memory);
    }

    /// <summary>The files that a process has open; none when it is gone or does not show them.</summary>
    private static string[] ListOpen(string directory)
    {
        try
        {
            return Directory.GetFileSystemEntries(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static long ReadKilobytes(string text, string name)
    {
        var at = text.IndexOf($"\n{name}", StringComparison.Ordinal);
        if (at < 0)
        {
            return 0;
        }

        var value = text.AsSpan(at + 1 + name.Length).TrimStart();
        return long.Parse(value[..value.IndexOf(' ')], CultureInfo.InvariantCulture) * 1024;
    }

    private static FileStatistics? Read(string path)
    {
        const int CurrentDirectory = -100;
        return StatX(CurrentDirectory, path, flags: 0, BasicStatistics, out var found) == 0 ? found : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out FileStatistics found);

    /// <summary>The beginning of <c>struct statx</c>, which is the same on every processor.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct FileStatistics
    {
        [FieldOffset(16)]
        public readonly uint Links;

        [FieldOffset(28)]
        public readonly ushort Mode;

        [FieldOffset(32)]
        public readonly ulong Inode;

        [FieldOffset(48)]
        public readonly ulong Blocks;

        [FieldOffset(136)]
        public readonly uint DeviceMajor;

        [FieldOffset(140)]
        public readonly uint DeviceMinor;
    }
}
