using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Cerver.Grains.Computes.Local;

/// <summary>The files of the sandboxes of this machine. What comes from there is hostile, and changes at any moment.</summary>
/// <param name="workspaces">Where they are.</param>
/// <param name="options">The settings.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told. No path is: it may hold anything.</param>
internal sealed partial class LocalSandboxFiles(SandboxWorkspaces workspaces, LocalComputeOptions options, TimeProvider time, ILogger logger) : ISandboxFiles, IDisposable
{
    private const uint ModeOfFiles = 0x1a4;
    private const uint ModeOfDirectories = 0x1ed;

    /// <summary>How often a file is tried to be put where programs remove the directories at the same moment.</summary>
    private const int MaxAttempts = 16;

    private const string Busy = "Programs in the sandbox change these directories at this moment. Nothing was changed; send the same call again.";

    private readonly LocalUploads _uploads = new(workspaces, options, time, logger);
    private readonly Lazy<string?> _obstacle = new(FindObstacle);

    public string? Obstacle => _obstacle.Value;

    /// <summary>Removes what a gateway that was killed left. Only before the first call.</summary>
    public void RemoveLeftovers() => _uploads.RemoveLeftovers();

    public Task<FileListing> ListAsync(string sandboxId, ListFiles request, CancellationToken cancellationToken) => ExecuteAsync(sandboxId, root =>
    {
        using var directory = FileCalls.OpenDirectory(root, request.Path.Bytes.AsSpan());
        return DirectoryPage.Read(directory, request.After.AsSpan(), Math.Clamp(request.Limit, 1, FileParts.MaxEntries), cancellationToken);
    }, cancellationToken);

    public Task<FilePart> ReadAsync(string sandboxId, ReadFile request, CancellationToken cancellationToken) => ExecuteAsync(sandboxId, root =>
    {
        using var file = FileCalls.OpenToRead(root, request.Path.Bytes.AsSpan());
        var status = FileCalls.Stat(file);
        if (status.Kind == SandboxEntryKind.Directory)
        {
            return new FilePart(IsDirectory: true, Size: 0, status.ModifiedAt, status.FileId, status.Version, options.MaxTransferBytes, []);
        }

        if (status.Kind != SandboxEntryKind.File)
        {
            throw new FileCallException(FileErrors.NoDevice);
        }

        if (request.FileId is not null && request.FileId != status.FileId)
        {
            throw new CerverException(CerverError.Conflict, "Another file took the place of this one while it was read. Read it again.");
        }

        return new FilePart(
            IsDirectory: false, status.Size, status.ModifiedAt, status.FileId, status.Version, options.MaxTransferBytes, ReadPart(file, request, status.Size));
    }, cancellationToken);

    public Task BeginAsync(string sandboxId, BeginFile request, CancellationToken cancellationToken) => ExecuteAsync(sandboxId, _ =>
    {
        RequireSize(request.Size ?? 0);
        _uploads.Begin(sandboxId, request.UploadId);
        return true;
    }, cancellationToken);

    public Task WriteAsync(string sandboxId, WriteFile part, CancellationToken cancellationToken) => ExecuteAsync(sandboxId, _ =>
    {
        RequireSize(part.Offset + part.Data.Length);
        _uploads.Find(sandboxId, part.UploadId).Write(part.Offset, part.Data);
        return true;
    }, cancellationToken);

    public Task<FilePlaced> PlaceAsync(string sandboxId, PlaceFile request, CancellationToken cancellationToken) => ExecuteAsync(sandboxId, root =>
    {
        if (_uploads.FindPlaced(sandboxId, request.UploadId) is { } known)
        {
            return new FilePlaced(known);
        }

        request.Path.RequireNamed();
        var isNew = _uploads.Find(sandboxId, request.UploadId).Place(request.Size, (path, file) => Place(root, request.Path, path, file));
        _uploads.Placed(sandboxId, request.UploadId, isNew);
        return new FilePlaced(isNew);
    }, cancellationToken);

    public Task AbandonAsync(string sandboxId, string uploadId, CancellationToken cancellationToken) =>
        Task.Run(() => _uploads.Forget(sandboxId, uploadId), cancellationToken);

    /// <summary>Forgets what was sent of all files that are not in their places.</summary>
    public Task AbandonAllAsync() => Task.Run(_uploads.ForgetAll);

    public Task DeleteAsync(string sandboxId, DeleteFile request, CancellationToken cancellationToken) => ExecuteAsync(sandboxId, root =>
    {
        request.Path.RequireNamed();
        Delete(root, request, cancellationToken);
        return true;
    }, cancellationToken);

    public void Dispose() => _uploads.Dispose();

    private static string? FindObstacle()
    {
        try
        {
            using var root = FileCalls.OpenDirectory("/");
            using var same = FileCalls.OpenDirectory(root, []);
            return null;
        }
        catch (FileCallException)
        {
            return "The gateway gives no access to files of its sandboxes here: it needs Linux 5.6 or newer, and in a container a seccomp profile that lets openat2 pass. "
                + "Read and write them in runs.";
        }
    }

    private static byte[] ReadPart(SafeFileHandle file, ReadFile request, long size)
    {
        var data = new byte[Math.Clamp(Math.Min(request.Count, size - request.Offset), 0, FileParts.MaxBytes)];
        var filled = 0;
        while (filled < data.Length)
        {
            var count = RandomAccess.Read(file, data.AsSpan(filled), request.Offset + filled);
            if (count == 0)
            {
                throw new CerverException(CerverError.Conflict, "The file became shorter while it was read. Read it again.");
            }

            filled += count;
        }

        return data;
    }

    private void RequireSize(long size)
    {
        if (size > options.MaxTransferBytes)
        {
            throw new CerverException(
                CerverError.PayloadTooLarge, $"The file is larger than {options.MaxTransferBytes} bytes. Send it in several files and put them together in a run.");
        }
    }

    /// <summary>Puts a file that is complete in its place, on disk and as the sandbox's own.</summary>
    private static bool Place(SafeFileHandle root, SandboxPath path, string from, SafeFileHandle file)
    {
        var owner = FileCalls.Stat(root);
        FileCalls.Give(file, owner.UserId, owner.GroupId, ModeOfFiles);
        FileCalls.Flush(file);
        for (var attempt = 1; ; attempt++)
        {
            using var parent = MakeParents(root, path.Parent, owner);
            var existing = FileCalls.TryStat(parent, path.Name, out _);
            var error = FileCalls.TryMove(from, parent, path.Name);
            if (error == 0)
            {
                FileCalls.Flush(parent);
                return existing == FileErrors.NotFound;
            }

            // The directory was there a moment ago.
            if (error != FileErrors.NotFound || attempt == MaxAttempts)
            {
                throw error == FileErrors.NotFound ? new CerverException(CerverError.Conflict, Busy) : new FileCallException(error);
            }
        }
    }

    /// <summary>Opens the directory that a file goes to, and makes those that are not there.</summary>
    private static SafeFileHandle MakeParents(SafeFileHandle root, ReadOnlySpan<byte> path, FileStatus owner)
    {
        var directory = FileCalls.OpenDirectory(root, []);
        try
        {
            while (!path.IsEmpty)
            {
                var slash = path.IndexOf((byte)'/');
                var name = slash < 0 ? path : path[..slash];
                path = slash < 0 ? [] : path[(slash + 1)..];
                var below = OpenOrMake(directory, name, owner);
                directory.Dispose();
                directory = below;
            }

            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private static SafeFileHandle OpenOrMake(SafeFileHandle directory, ReadOnlySpan<byte> name, FileStatus owner)
    {
        for (var attempt = 1; ; attempt++)
        {
            var made = FileCalls.TryMakeDirectory(directory, name, ModeOfDirectories);
            if (made is not (0 or FileErrors.Exists))
            {
                throw new FileCallException(made);
            }

            try
            {
                var below = FileCalls.OpenDirectory(directory, name);
                if (made == 0)
                {
                    FileCalls.Give(below, owner.UserId, owner.GroupId, ModeOfDirectories);
                    FileCalls.Flush(directory);
                }

                return below;
            }
            catch (FileCallException failure) when (failure.Error == FileErrors.NotFound)
            {
                // It was there a moment ago.
                if (attempt == MaxAttempts)
                {
                    throw new CerverException(CerverError.Conflict, Busy);
                }
            }
        }
    }

    private static void Delete(SafeFileHandle root, DeleteFile request, CancellationToken cancellationToken)
    {
        SafeFileHandle parent;
        try
        {
            parent = FileCalls.OpenDirectory(root, request.Path.Parent);
        }
        catch (FileCallException failure) when (failure.Error is FileErrors.NotFound or FileErrors.NotDirectory)
        {
            return;
        }

        using (parent)
        {
            if (request.Recursive)
            {
                DirectoryRemoval.Remove(parent, request.Path.Name, cancellationToken);
            }
            else if (FileCalls.TryRemove(parent, request.Path.Name, isDirectory: false) is var error and not (0 or FileErrors.NotFound))
            {
                FileCalls.Check(error == FileErrors.IsDirectory ? DirectoryRemoval.TryRemoveEmpty(parent, request.Path.Name) : error);
            }

            FileCalls.Flush(parent);
        }
    }

    /// <summary>Does something with a sandbox's files, on a thread that may wait for a disk.</summary>
    /// <exception cref="CerverException">Whatever it came to, in words.</exception>
    private async Task<T> ExecuteAsync<T>(string sandboxId, Func<SafeFileHandle, T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(() =>
            {
                using var root = OpenWorkspace(sandboxId);
                return work(root);
            }, cancellationToken);
        }
        catch (FileCallException failure)
        {
            throw Refuse(sandboxId, failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogFailed(sandboxId, failure.HResult);
            throw new CerverException(
                CerverError.ProviderUnavailable, "The machine of the sandbox could not do that with the file, because its disk is full or fails; the gateway's log says more. Nothing was changed.");
        }
    }

    private SafeFileHandle OpenWorkspace(string sandboxId)
    {
        try
        {
            return FileCalls.OpenDirectory(workspaces.PathOf(sandboxId));
        }
        catch (FileCallException failure) when (failure.Error == FileErrors.NotFound)
        {
            throw new CerverException(CerverError.Conflict, "The session's files are gone. POST …/resume brings up an empty workspace.");
        }
    }

    private CerverException Refuse(string sandboxId, FileCallException failure)
    {
        switch (failure.Error)
        {
            case FileErrors.NotFound:
                return new(CerverError.NotFound, "There is no file or directory at this path. GET …/files lists what there is.");
            case FileErrors.NotDirectory:
                return new(CerverError.Conflict, "What is at this path, or at a part of it, is a file and not a directory. GET …/files lists what there is.");
            case FileErrors.Link or FileErrors.OtherMount:
                return new(CerverError.Conflict, "At this path, or at a part of it, is a symbolic link, and links are not followed. Name what it leads to, if that is in the workspace.");
            case FileErrors.IsDirectory:
                return new(CerverError.Conflict, "A directory is at this path. Send the file to another one, or delete the directory first.");
            case FileErrors.NotEmpty or FileErrors.Exists:
                return new(CerverError.Conflict, "The directory is not empty. Delete what is in it first, or send 'recursive=true'.");
            case FileErrors.NoDevice:
                return new(CerverError.Conflict, "At this path is a pipe, a socket or a device, and no file that has bytes to read.");
            case FileErrors.NoAccess or FileErrors.NotPermitted:
                return new(CerverError.Conflict, "The mode of the file or of a directory on its way forbids this. Run 'chmod u+rwX' on it.");
            case FileErrors.NameTooLong:
                return new(CerverError.InvalidRequest, "'path' has a name that is too long for the file system of the sandbox.", "path");
            case FileErrors.Again:
                return new(CerverError.Conflict, Busy);
            case FileErrors.NoSpace or FileErrors.NoQuota:
                return new(CerverError.ProviderUnavailable, "The disk of the sandbox's machine is full; nothing was changed. Delete files that are not needed, or tell the operator.");
            default:
                LogFailed(sandboxId, failure.Error);
                return new(CerverError.ProviderUnavailable, "The machine of the sandbox could not do that with the file; the gateway's log has the number of the error.");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A call on a file of sandbox {SandboxId} failed with error {Error}")]
    private partial void LogFailed(string sandboxId, int error);
}
