using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// The system calls that reach files of a sandbox. Each begins at a directory that is open and stays beneath it: programs may put links and other directories
/// where there were none at any moment, so what was looked at by its path may be something else when it is looked at again.
/// </summary>
internal static unsafe partial class FileCalls
{
    /// <summary>The size of the buffer in which the names of a directory are read.</summary>
    public const int NamesBytes = 32 * 1_024;

    private const int CurrentDirectory = -100;
    private const int RemoveDirectory = 0x200;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicAndBirth = 0xfff;

    private const ulong NonBlocking = 0x800;
    private const ulong CloseOnExec = 0x80000;
    private const ulong NoTerminal = 0x100;

    /// <summary>Beneath where it begins, over no link of any kind, and into no other mount.</summary>
    private const ulong Confined = 0x8 | 0x4 | 0x2 | 0x1;

    /// <summary>A directory that is moved while a path is looked up makes the kernel give up, and the next time may be quieter.</summary>
    private const int MaxAttempts = 16;

    private const string Library = "libc";

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly ulong DirectoryOnly = IsArm ? 0x4000UL : 0x10000UL;
    private static readonly nint OpenNumber = 437;
    private static readonly nint StatNumber = IsArm ? 291 : 332;
    private static readonly nint NamesNumber = IsArm ? 61 : 217;

    /// <summary>Opens a directory of the gateway's own.</summary>
    /// <exception cref="FileCallException">It cannot be opened.</exception>
    public static SafeFileHandle OpenDirectory(string path) =>
        Open(CurrentDirectory, System.Text.Encoding.UTF8.GetBytes(path), DirectoryOnly, resolve: 0);

    /// <summary>Opens a directory of a sandbox.</summary>
    /// <param name="beneath">The directory to begin at.</param>
    /// <param name="path">Names with slashes in between; empty for the directory itself.</param>
    /// <exception cref="FileCallException">It is no directory, or cannot be opened.</exception>
    public static SafeFileHandle OpenDirectory(SafeFileHandle beneath, ReadOnlySpan<byte> path) => Open(beneath, path, DirectoryOnly);

    /// <summary>Opens whatever a path of a sandbox leads to, to read it. It may be a pipe or a device: nothing waits for the other end.</summary>
    /// <inheritdoc cref="OpenDirectory(SafeFileHandle, ReadOnlySpan{byte})"/>
    public static SafeFileHandle OpenToRead(SafeFileHandle beneath, ReadOnlySpan<byte> path) => Open(beneath, path, NonBlocking | NoTerminal);

    /// <summary>What is known of something that is open.</summary>
    /// <exception cref="FileCallException">The file system does not say.</exception>
    public static FileStatus Stat(SafeFileHandle handle)
    {
        Check(TryStat(handle, [], EmptyPath, out var status));
        return status;
    }

    /// <summary>What is known of an entry of a directory, be it a link.</summary>
    /// <returns>The number of the error, or 0.</returns>
    public static int TryStat(SafeFileHandle directory, ReadOnlySpan<byte> name, out FileStatus status) => TryStat(directory, name, NoFollow, out status);

    /// <summary>Makes a directory.</summary>
    /// <returns>The number of the error, or 0.</returns>
    public static int TryMakeDirectory(SafeFileHandle directory, ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* text = Terminated(name))
        {
            return Error(NativeMakeDirectory(directory, text, mode));
        }
    }

    /// <summary>Moves a file of the gateway's own into a directory of a sandbox, in the place of whatever file or link has the name.</summary>
    /// <returns>The number of the error, or 0.</returns>
    public static int TryMove(string path, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        fixed (byte* from = Terminated(System.Text.Encoding.UTF8.GetBytes(path)), to = Terminated(name))
        {
            return Error(NativeRename(CurrentDirectory, from, directory, to));
        }
    }

    /// <summary>Removes an entry of a directory, be it a link.</summary>
    /// <returns>The number of the error, or 0.</returns>
    public static int TryRemove(SafeFileHandle directory, ReadOnlySpan<byte> name, bool isDirectory)
    {
        fixed (byte* text = Terminated(name))
        {
            return Error(NativeRemove(directory, text, isDirectory ? RemoveDirectory : 0));
        }
    }

    /// <summary>Gives something that is open an owner and a mode.</summary>
    /// <exception cref="FileCallException">It stays as it was.</exception>
    public static void Give(SafeFileHandle handle, uint userId, uint groupId, uint mode)
    {
        Check(Error(NativeSetMode(handle, mode)));
        var now = Stat(handle);
        if (now.UserId != userId || now.GroupId != groupId)
        {
            Check(Error(NativeSetOwner(handle, userId, groupId)));
        }
    }

    /// <summary>Has what is open, a file's bytes or a directory's names, on disk.</summary>
    /// <exception cref="FileCallException">It may not be.</exception>
    public static void Flush(SafeFileHandle handle) => Check(Error(NativeFlush(handle)));

    /// <summary>Reads the next names of an open directory into a buffer; <see cref="NextName"/> takes them out.</summary>
    /// <returns>How many bytes of it are filled; 0 at the end.</returns>
    /// <exception cref="FileCallException">They cannot be read.</exception>
    public static int ReadNames(SafeFileHandle directory, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            var count = NativeCall(NamesNumber, directory, start, (nuint)buffer.Length);
            Check(Error(count));
            return (int)count;
        }
    }

    /// <summary>Takes the next name out of what <see cref="ReadNames"/> filled. The two names that every directory has are among them.</summary>
    public static ReadOnlySpan<byte> NextName(ref ReadOnlySpan<byte> filled)
    {
        const int Length = 16;
        const int Name = 19;
        var entry = filled[..MemoryMarshal.Read<ushort>(filled[Length..])];
        filled = filled[entry.Length..];
        var name = entry[Name..];
        return name[..name.IndexOf((byte)0)];
    }

    /// <summary>Throws unless a call went well.</summary>
    /// <exception cref="FileCallException">It did not.</exception>
    public static void Check(int error)
    {
        if (error != 0)
        {
            throw new FileCallException(error);
        }
    }

    private static SafeFileHandle Open(SafeFileHandle beneath, ReadOnlySpan<byte> path, ulong flags)
    {
        var isHeld = false;
        try
        {
            beneath.DangerousAddRef(ref isHeld);
            return Open(beneath.DangerousGetHandle(), path.IsEmpty ? "."u8 : path, flags, Confined);
        }
        finally
        {
            if (isHeld)
            {
                beneath.DangerousRelease();
            }
        }
    }

    private static SafeFileHandle Open(nint beneath, ReadOnlySpan<byte> path, ulong flags, ulong resolve)
    {
        var how = new OpenHow(flags | CloseOnExec, Mode: 0, resolve);
        fixed (byte* text = Terminated(path))
        {
            for (var attempt = 1; ; attempt++)
            {
                var descriptor = NativeCall(OpenNumber, beneath, text, &how, (nuint)sizeof(OpenHow));
                var error = Error(descriptor);
                if (error == 0)
                {
                    return new(descriptor, ownsHandle: true);
                }

                if (error is not (FileErrors.Again or FileErrors.Interrupted) || attempt == MaxAttempts)
                {
                    throw new FileCallException(error);
                }
            }
        }
    }

    private static int TryStat(SafeFileHandle handle, ReadOnlySpan<byte> name, int flags, out FileStatus status)
    {
        Statx read;
        fixed (byte* text = Terminated(name))
        {
            var error = Error(NativeCall(StatNumber, handle, text, flags, BasicAndBirth, &read));
            status = error == 0 ? FileStatus.Of(read) : default;
            return error;
        }
    }

    private static int Error(nint result) => result < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static byte[] Terminated(ReadOnlySpan<byte> text) => [.. text, 0];

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint NativeCall(nint number, nint directory, byte* path, OpenHow* how, nuint size);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint NativeCall(nint number, SafeFileHandle directory, byte* path, nint flags, nuint mask, Statx* status);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint NativeCall(nint number, SafeFileHandle directory, byte* names, nuint size);

    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int NativeMakeDirectory(SafeFileHandle directory, byte* name, uint mode);

    [LibraryImport(Library, EntryPoint = "renameat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int NativeRename(int from, byte* path, SafeFileHandle to, byte* name);

    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int NativeRemove(SafeFileHandle directory, byte* name, int flags);

    [LibraryImport(Library, EntryPoint = "fchown", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int NativeSetOwner(SafeFileHandle handle, uint userId, uint groupId);

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int NativeSetMode(SafeFileHandle handle, uint mode);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int NativeFlush(SafeFileHandle handle);

    /// <summary>What openat2 is told.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct OpenHow(ulong Flags, ulong Mode, ulong Resolve);

    /// <summary>What statx gives, as far as anybody here looks at it; the same on every machine.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(20)]
        public uint UserId;

        [FieldOffset(24)]
        public uint GroupId;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(80)]
        public StatxTime Born;

        [FieldOffset(96)]
        public StatxTime Changed;

        [FieldOffset(112)]
        public StatxTime Modified;
    }

    /// <summary>A time, in seconds since 1970 and nanoseconds.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    internal struct StatxTime
    {
        public long Seconds;
        public uint Nanoseconds;
    }
}
