namespace Cerver.Computes;

/// <summary>How much of a file one call carries.</summary>
public static class FileParts
{
    /// <summary>The most bytes in one part. It fits into a frame of 1 MiB, also when it is written in base64.</summary>
    public const int MaxBytes = 512 * 1_024;

    /// <summary>The most entries in one listing.</summary>
    public const int MaxEntries = 1_000;
}

/// <summary>What stands in a directory.</summary>
[GenerateSerializer, Alias("cerver.compute.entry-kind")]
public enum SandboxEntryKind
{
    /// <summary>A file with bytes.</summary>
    File = 1,

    /// <summary>A directory.</summary>
    Directory = 2,

    /// <summary>A symbolic link, which nobody follows.</summary>
    Symlink = 3,

    /// <summary>A pipe, a socket or a device.</summary>
    Other = 4,
}

/// <summary>One entry of a directory.</summary>
/// <param name="Name">Its name: bytes, nearly always UTF-8.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Size">How many bytes a file has; 0 for anything else.</param>
/// <param name="ModifiedAt">When it was last changed, as the file system says.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.entry")]
public sealed record SandboxEntry(
    [property: Id(0)] ImmutableArray<byte> Name,
    [property: Id(1)] SandboxEntryKind Kind,
    [property: Id(2)] long Size,
    [property: Id(3)] DateTimeOffset ModifiedAt);

/// <summary>Lists a directory.</summary>
/// <param name="Path">The directory.</param>
/// <param name="After">The name after which to begin; empty for the first page.</param>
/// <param name="Limit">How many entries, at most <see cref="FileParts.MaxEntries"/>.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.list-files")]
public sealed record ListFiles(
    [property: Id(0)] SandboxPath Path,
    [property: Id(1)] ImmutableArray<byte> After,
    [property: Id(2)] int Limit);

/// <summary>A page of a directory.</summary>
/// <param name="Entries">In the order of the bytes of their names.</param>
/// <param name="Next">The name after which the next page begins; empty when there is none.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.listing")]
public sealed record FileListing(
    [property: Id(0)] ImmutableArray<SandboxEntry> Entries,
    [property: Id(1)] ImmutableArray<byte> Next);

/// <summary>Reads a part of a file, or with no bytes only what there is to know of it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where the part begins.</param>
/// <param name="Count">How many bytes, at most <see cref="FileParts.MaxBytes"/>.</param>
/// <param name="FileId">The <see cref="FilePart.FileId"/> of an earlier part, so that all parts are of one file; null for the first.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.read-file")]
public sealed record ReadFile(
    [property: Id(0)] SandboxPath Path,
    [property: Id(1)] long Offset,
    [property: Id(2)] int Count,
    [property: Id(3)] string? FileId = null);

/// <summary>A part of a file.</summary>
/// <param name="IsDirectory">Whether the path leads to a directory; there are no bytes then.</param>
/// <param name="Size">How many bytes the file has now.</param>
/// <param name="ModifiedAt">When it was last changed, as the file system says.</param>
/// <param name="FileId">Tells this file from another one that takes its place.</param>
/// <param name="Version">Is another one when the file was changed.</param>
/// <param name="MaxBytes">How many bytes of it one answer may have.</param>
/// <param name="Data">The bytes: as many as were asked for, or up to the end.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.file-part")]
public sealed record FilePart(
    [property: Id(0)] bool IsDirectory,
    [property: Id(1)] long Size,
    [property: Id(2)] DateTimeOffset ModifiedAt,
    [property: Id(3)] string FileId,
    [property: Id(4)] string Version,
    [property: Id(5)] long MaxBytes,
    [property: Id(6)] byte[] Data);

/// <summary>Begins to send a file, which is nowhere to be seen before it is put in its place.</summary>
/// <param name="UploadId">The caller names the upload, so a repeated call finds what is there.</param>
/// <param name="Size">How many bytes there will be, or null when nobody knows yet.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.begin-file")]
public sealed record BeginFile(
    [property: Id(0)] string UploadId,
    [property: Id(1)] long? Size);

/// <summary>Sends the next part of a file.</summary>
/// <param name="UploadId">The upload.</param>
/// <param name="Offset">Where the part begins; not after the end of what was sent.</param>
/// <param name="Data">The bytes, at most <see cref="FileParts.MaxBytes"/>.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.write-file")]
public sealed record WriteFile(
    [property: Id(0)] string UploadId,
    [property: Id(1)] long Offset,
    [property: Id(2)] byte[] Data);

/// <summary>Puts a file in its place, whatever file or link was there before. Directories above it are made.</summary>
/// <param name="UploadId">The upload.</param>
/// <param name="Path">The place.</param>
/// <param name="Size">How many bytes were sent.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.place-file")]
public sealed record PlaceFile(
    [property: Id(0)] string UploadId,
    [property: Id(1)] SandboxPath Path,
    [property: Id(2)] long Size);

/// <summary>A file is in its place.</summary>
/// <param name="IsNew">Whether nothing was there before.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.file-placed")]
public sealed record FilePlaced([property: Id(0)] bool IsNew);

/// <summary>Removes a file, a link or a directory.</summary>
/// <param name="Path">What to remove; not the workspace itself.</param>
/// <param name="Recursive">Whether a directory goes with all that is in it.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.delete-file")]
public sealed record DeleteFile(
    [property: Id(0)] SandboxPath Path,
    [property: Id(1)] bool Recursive);
