using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cerver.Grains.Computes.Local;

/// <summary>Reads the frames of a sandbox, which is taken to be hostile: a frame beyond the limit is an error, whatever it says.</summary>
/// <param name="socket">Where they come from.</param>
internal sealed class SandboxFrameReader(Socket socket)
{
    /// <summary>The largest frame an honest sandbox sends is a piece of output.</summary>
    public const int MaxPayloadBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[SandboxFrames.HeaderBytes + MaxPayloadBytes];
    private int _start;
    private int _end;

    /// <summary>Reads the next frame, or null when the other side has closed between two frames.</summary>
    /// <exception cref="InvalidDataException">What arrived is no frame.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    public async ValueTask<SandboxFrame?> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await FillAsync(SandboxFrames.HeaderBytes, cancellationToken))
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_start));
        if (length is < SandboxFrames.HeaderBytes - 4 or > SandboxFrames.HeaderBytes - 4 + MaxPayloadBytes)
        {
            throw new InvalidDataException($"A frame of {length} bytes.");
        }

        var total = 4 + (int)length;
        if (!await FillAsync(total, cancellationToken))
        {
            return null;
        }

        var frame = new SandboxFrame(
            (SandboxReport)_buffer[_start + 4],
            BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_start + 5)),
            _buffer.AsMemory(_start + SandboxFrames.HeaderBytes, total - SandboxFrames.HeaderBytes));
        _start += total;
        return frame;
    }

    /// <summary>Makes sure that so many bytes stand in the buffer.</summary>
    /// <returns>False when the other side closed before the first of them.</returns>
    private async ValueTask<bool> FillAsync(int count, CancellationToken cancellationToken)
    {
        if (_buffer.Length - _start < count)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count)
        {
            var read = await socket.ReceiveAsync(_buffer.AsMemory(_end), cancellationToken);
            if (read == 0)
            {
                return _end == _start ? false : throw new InvalidDataException("Half a frame.");
            }

            _end += read;
        }

        return true;
    }
}
