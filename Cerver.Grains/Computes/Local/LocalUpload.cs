using Cerver.Errors;
using Microsoft.Win32.SafeHandles;

namespace Cerver.Grains.Computes.Local;

/// <summary>A file that is being sent. One part of it is written at a time.</summary>
/// <param name="path">Where it is until it is complete. Nothing is there yet.</param>
internal sealed class LocalUpload(string path) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    private ITimer? _timer;
    private TimeSpan _timeout;
    private long _length;
    private bool _isOver;

    /// <summary>Has something done when nothing is sent for a while.</summary>
    public void ForgetAfter(TimeProvider time, TimeSpan timeout, Action forget)
    {
        _timeout = timeout;
        _timer = time.CreateTimer(_ => forget(), state: null, timeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Writes a part.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> when a part before it is missing or the upload is over.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(long offset, byte[] data)
    {
        lock (_gate)
        {
            RequireGoing();
            if (offset > _length)
            {
                throw new CerverException(CerverError.Conflict, "A part of the file is missing. Nothing was changed; send the file again.");
            }

            RandomAccess.Write(_file, data, offset);
            _length = Math.Max(_length, offset + data.Length);
        }
    }

    /// <summary>Has somebody put the file in its place, which ends the upload.</summary>
    /// <param name="size">How long it must be.</param>
    /// <param name="place">Gets where it is, and the file.</param>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> when it has another length or the upload is over.</exception>
    public bool Place(long size, Func<string, SafeFileHandle, bool> place)
    {
        lock (_gate)
        {
            RequireGoing();
            if (size != _length)
            {
                throw new CerverException(CerverError.Conflict, $"Of the file {_length} bytes arrived and not {size}. Nothing was changed; send it again.");
            }

            var isNew = place(path, _file);
            _isOver = true;
            return isNew;
        }
    }

    /// <summary>Removes what was sent, unless it is in its place.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
            _file.Dispose();
            if (!_isOver)
            {
                _isOver = true;
                File.Delete(path);
            }
        }
    }

    private void RequireGoing()
    {
        if (_isOver)
        {
            throw LocalUploads.Unknown();
        }

        _timer?.Change(_timeout, Timeout.InfiniteTimeSpan);
    }
}
