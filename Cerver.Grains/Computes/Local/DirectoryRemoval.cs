using Cerver.Errors;
using Microsoft.Win32.SafeHandles;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// Removes a directory with all that is in it, entry by entry, each within the directory that is open: a link is removed and not followed, whoever puts it there
/// and when.
/// </summary>
internal static class DirectoryRemoval
{
    /// <summary>Each level has a directory open.</summary>
    private const int MaxDepth = 256;

    /// <summary>How often a directory is emptied that programs put something into at the same time.</summary>
    private const int MaxPasses = 4;

    /// <summary>Removes an entry and what is in it. One that does not exist is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> when programs write to it or it is too deep.</exception>
    /// <exception cref="FileCallException">Something of it is left.</exception>
    public static void Remove(SafeFileHandle parent, ReadOnlySpan<byte> name, CancellationToken cancellationToken) => Remove(parent, name, depth: 1, cancellationToken);

    /// <summary>Removes an empty directory. One that does not exist is fine.</summary>
    /// <returns>The number of the error, or 0.</returns>
    public static int TryRemoveEmpty(SafeFileHandle parent, ReadOnlySpan<byte> name) =>
        FileCalls.TryRemove(parent, name, isDirectory: true) is var error and not FileErrors.NotFound ? error : 0;

    private static void Remove(SafeFileHandle parent, ReadOnlySpan<byte> name, int depth, CancellationToken cancellationToken)
    {
        if (depth > MaxDepth)
        {
            throw new CerverException(CerverError.Conflict, $"The directory has more than {MaxDepth} others within each other. Remove it in a run, with 'rm -rf'.");
        }

        for (var pass = 1; ; pass++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var error = FileCalls.TryRemove(parent, name, isDirectory: false);
            error = error == FileErrors.IsDirectory ? TryRemoveEmpty(parent, name) : error;
            if (error is 0 or FileErrors.NotFound)
            {
                return;
            }

            // What was a directory may be something else now: then the next pass removes that.
            if (error is not (FileErrors.NotEmpty or FileErrors.Exists or FileErrors.NotDirectory))
            {
                throw new FileCallException(error);
            }

            if (pass > MaxPasses)
            {
                throw new CerverException(CerverError.Conflict, "Programs in the sandbox write to the directory while it is removed. Stop them, or send the same call again.");
            }

            Empty(parent, name, depth, cancellationToken);
        }
    }

    private static void Empty(SafeFileHandle parent, ReadOnlySpan<byte> name, int depth, CancellationToken cancellationToken)
    {
        SafeFileHandle directory;
        try
        {
            directory = FileCalls.OpenDirectory(parent, name);
        }
        catch (FileCallException failure) when (failure.Error is FileErrors.NotFound or FileErrors.NotDirectory or FileErrors.Link)
        {
            return;
        }

        using (directory)
        {
            // On the heap: a buffer for each level would be too much for a stack.
            var buffer = new byte[FileCalls.NamesBytes];
            while (FileCalls.ReadNames(directory, buffer) is var filled and > 0)
            {
                var left = (ReadOnlySpan<byte>)buffer.AsSpan(0, filled);
                while (!left.IsEmpty)
                {
                    var entry = FileCalls.NextName(ref left);
                    if (!entry.SequenceEqual("."u8) && !entry.SequenceEqual(".."u8))
                    {
                        Remove(directory, entry, depth + 1, cancellationToken);
                    }
                }
            }
        }
    }
}
