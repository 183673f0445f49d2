using System.Globalization;
using Cerver.Computes;

namespace Cerver.Grains.Computes.Local;

/// <summary>What the file system knows of an entry.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="GroupId">Which group's.</param>
/// <param name="Size">How many bytes it has.</param>
/// <param name="ModifiedAt">When it was last changed. A program may say anything here.</param>
/// <param name="FileId">Tells it from whatever takes its place.</param>
/// <param name="Version">Is another one after a change. No program can set the time that is in it.</param>
internal readonly record struct FileStatus(
    SandboxEntryKind Kind, uint UserId, uint GroupId, long Size, DateTimeOffset ModifiedAt, string FileId, string Version)
{
    private const int KindMask = 0xf000;

    /// <summary>What statx gave.</summary>
    public static FileStatus Of(FileCalls.Statx status)
    {
        var fileId = string.Create(CultureInfo.InvariantCulture, $"{status.Inode:x}-{status.Born.Seconds:x}{status.Born.Nanoseconds:x8}");
        return new(
            KindOf(status.Mode), status.UserId, status.GroupId, (long)status.Size, TimeOf(status.Modified), fileId,
            string.Create(CultureInfo.InvariantCulture, $"{fileId}-{status.Size:x}-{status.Changed.Seconds:x}{status.Changed.Nanoseconds:x8}"));
    }

    private static SandboxEntryKind KindOf(ushort mode) => (mode & KindMask) switch
    {
        0x8000 => SandboxEntryKind.File,
        0x4000 => SandboxEntryKind.Directory,
        0xa000 => SandboxEntryKind.Symlink,
        _ => SandboxEntryKind.Other,
    };

    private static DateTimeOffset TimeOf(FileCalls.StatxTime time)
    {
        var seconds = Math.Clamp(time.Seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds());
        return DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick);
    }
}
