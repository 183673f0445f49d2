using System.Diagnostics;
using System.Text;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Cerver.Computes;

namespace Cerver.Api.Files;

/// <summary>A page of a directory.</summary>
public sealed record FileListAnswer
{
    /// <summary>The directory; empty for the workspace.</summary>
    public required string Path { get; init; }

    /// <summary>What is in it, in the order of the bytes of the names.</summary>
    public required ImmutableArray<FileEntryAnswer> Entries { get; init; }

    /// <summary>Send it as <c>cursor</c> for the next page; null on the last.</summary>
    public required string? NextCursor { get; init; }

    internal static FileListAnswer Of(SandboxPath path, FileListing listing, string? nextCursor) => new()
    {
        Path = path.ToString(),
        Entries = [.. listing.Entries.Select(FileEntryAnswer.Of)],
        NextCursor = nextCursor,
    };
}

/// <summary>One entry of a directory.</summary>
public sealed record FileEntryAnswer
{
    /// <summary>Its name, in which U+FFFD stands for what is not UTF-8.</summary>
    public required string Name { get; init; }

    /// <summary>The bytes of a name that is not UTF-8, in base64.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NameBase64 { get; init; }

    /// <summary><c>file</c>, <c>directory</c>, <c>symlink</c> (which is not followed), or <c>other</c> for a pipe, a socket or a device.</summary>
    public required string Type { get; init; }

    /// <summary>How many bytes a file has; null for anything else.</summary>
    public required long? Size { get; init; }

    /// <summary>When it was last changed, as the file system says.</summary>
    public required DateTime ModifiedAt { get; init; }

    internal static FileEntryAnswer Of(SandboxEntry entry) => new()
    {
        Name = Encoding.UTF8.GetString(entry.Name.AsSpan()),
        NameBase64 = Utf8.IsValid(entry.Name.AsSpan()) ? null : Convert.ToBase64String(entry.Name.AsSpan()),
        Type = WordOf(entry.Kind),
        Size = entry.Kind == SandboxEntryKind.File ? entry.Size : null,
        ModifiedAt = entry.ModifiedAt.UtcDateTime,
    };

    private static string WordOf(SandboxEntryKind kind) => kind switch
    {
        SandboxEntryKind.File => "file",
        SandboxEntryKind.Directory => "directory",
        SandboxEntryKind.Symlink => "symlink",
        SandboxEntryKind.Other => "other",
        _ => throw new UnreachableException($"No word for {kind}."),
    };
}

/// <summary>A file is in its place.</summary>
public sealed record FileWritten
{
    /// <summary>Where it is.</summary>
    public required string Path { get; init; }

    /// <summary>How many bytes it has.</summary>
    public required long Size { get; init; }
}

/// <summary>A file or a directory is gone.</summary>
public sealed record FileDeleted
{
    /// <summary>Always true.</summary>
    public bool Ok { get; } = true;

    /// <summary>Where it was.</summary>
    public required string Path { get; init; }
}
