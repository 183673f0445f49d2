using System.Globalization;
using Cerver.Errors;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes.Local;

/// <summary>The files that are being sent to the sandboxes of this machine. What nobody sends to any more is forgotten.</summary>
/// <param name="workspaces">Where they are meanwhile.</param>
/// <param name="options">How many there may be and for how long.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class LocalUploads(SandboxWorkspaces workspaces, LocalComputeOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>Uploads of all sandboxes together. Each has a file open.</summary>
    private const int MaxTotal = 1_024;

    /// <summary>How many are remembered that are done, so that a call that is made again finds out.</summary>
    private const int MaxPlaced = 4_096;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly Lock _gate = new();
    private readonly Dictionary<Key, LocalUpload> _uploads = [];
    private readonly Dictionary<Key, bool> _placed = [];
    private readonly Queue<Key> _placedInOrder = [];
    private long _last;
    private bool _isDisposed;

    /// <summary>Removes what a gateway that was killed left. Only before the first upload.</summary>
    public void RemoveLeftovers()
    {
        try
        {
            if (Directory.Exists(workspaces.UploadsPath))
            {
                Directory.Delete(workspaces.UploadsPath, recursive: true);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogLeft(failure);
        }
    }

    /// <summary>Begins an upload, unless it has begun.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.RateLimited"/>.</exception>
    /// <exception cref="IOException">There can be no file.</exception>
    public void Begin(string sandboxId, string uploadId)
    {
        var key = new Key(sandboxId, uploadId);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_uploads.ContainsKey(key) || _placed.ContainsKey(key))
            {
                return;
            }

            var others = _uploads.Keys.Count(other => other.SandboxId == sandboxId);
            if (others >= options.MaxUploads || _uploads.Count >= MaxTotal)
            {
                throw new CerverException(
                    CerverError.RateLimited,
                    others >= options.MaxUploads
                        ? $"{others} files are being sent to this sandbox; at most that many may at once. Send the file again when one is there."
                        : $"{_uploads.Count} files are being sent to sandboxes of this machine; at most that many may at once. Send the file again in a moment.");
            }

            Directory.CreateDirectory(workspaces.UploadsPath, OwnerOnly);
            var path = Path.Combine(workspaces.UploadsPath, (++_last).ToString(CultureInfo.InvariantCulture));
            var upload = new LocalUpload(path);
            upload.ForgetAfter(time, options.UploadTimeout, () => Forget(key));
            _uploads.Add(key, upload);
        }
    }

    /// <summary>An upload that goes on.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/>.</exception>
    public LocalUpload Find(string sandboxId, string uploadId)
    {
        lock (_gate)
        {
            return _uploads.TryGetValue(new(sandboxId, uploadId), out var upload) ? upload : throw Unknown();
        }
    }

    /// <summary>How an upload ended that was put in its place, or null.</summary>
    public bool? FindPlaced(string sandboxId, string uploadId)
    {
        lock (_gate)
        {
            return _placed.TryGetValue(new(sandboxId, uploadId), out var isNew) ? isNew : null;
        }
    }

    /// <summary>Notes that an upload is in its place.</summary>
    public void Placed(string sandboxId, string uploadId, bool isNew)
    {
        var key = new Key(sandboxId, uploadId);
        lock (_gate)
        {
            if (_placed.TryAdd(key, isNew))
            {
                _placedInOrder.Enqueue(key);
            }

            if (_placedInOrder.Count > MaxPlaced)
            {
                _placed.Remove(_placedInOrder.Dequeue());
            }
        }

        Forget(key);
    }

    /// <summary>Removes an upload that is not in its place. One that there is none of is fine.</summary>
    public void Forget(string sandboxId, string uploadId) => Forget(new Key(sandboxId, uploadId));

    /// <summary>Removes every upload: whoever sent them is gone.</summary>
    public void ForgetAll()
    {
        Key[] all;
        lock (_gate)
        {
            all = [.. _uploads.Keys];
        }

        Array.ForEach(all, Forget);
    }

    /// <summary>What is said of an upload that nothing is known of.</summary>
    public static CerverException Unknown() => new(
        CerverError.Conflict, "Nothing is known any more of what was sent of this file: it took too long, or the connection to where it goes ended. Nothing was changed; send the file again.");

    /// <inheritdoc/>
    public void Dispose()
    {
        LocalUpload[] left;
        lock (_gate)
        {
            _isDisposed = true;
            left = [.. _uploads.Values];
            _uploads.Clear();
        }

        Array.ForEach(left, static upload => upload.Dispose());
    }

    private void Forget(Key key)
    {
        LocalUpload? upload;
        lock (_gate)
        {
            _uploads.Remove(key, out upload);
        }

        try
        {
            upload?.Dispose();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogLeft(failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Of files that were sent to sandboxes something is left that could not be removed; it goes with the next start")]
    private partial void LogLeft(Exception failure);

    private readonly record struct Key(string SandboxId, string UploadId);
}
