using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cerver.Bench.Load;

/// <summary>
/// One keep-alive connection that sends bytes made before and looks at no more of an answer than its status and where it ends, because
/// the load generator shares its processors with the gateway. One request at a time.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private const int BufferBytes = 64 * 1024;
    private const int MaxAnswerBytes = 16 * 1024 * 1024;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private bool _chunked;

    // What is left of the body, or of the chunk, and whether the next read begins with the end of a chunk.
    private long _left;
    private bool _afterChunk;
    private bool _bodyEnded = true;

    private HttpConnection(Socket socket) => _socket = socket;

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async Task<HttpConnection> OpenAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new(socket);
    }

    /// <summary>Sends a request and reads the answer to its end.</summary>
    /// <exception cref="BenchException">The status is not 2xx.</exception>
    public async ValueTask ExchangeAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        await RequireSuccessAsync(await SendAsync(request, cancellationToken), cancellationToken);
        while (!_bodyEnded)
        {
            await ReadBodyAsync(cancellationToken);
        }
    }

    /// <summary>Sends a request and returns the body of the answer, at most 16 MiB.</summary>
    /// <exception cref="BenchException">The status is not 2xx.</exception>
    public async Task<ReadOnlyMemory<byte>> AskAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        await RequireSuccessAsync(await SendAsync(request, cancellationToken), cancellationToken);
        return await ReadWholeBodyAsync(cancellationToken);
    }

    /// <summary>Sends a request, reads the head of the answer and returns its status.</summary>
    /// <exception cref="InvalidOperationException">The body of the answer before was not read to its end.</exception>
    public async ValueTask<int> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        if (!_bodyEnded)
        {
            throw new InvalidOperationException("The body of the answer before was not read to its end.");
        }

        for (var rest = request; !rest.IsEmpty;)
        {
            rest = rest[await _socket.SendAsync(rest, SocketFlags.None, cancellationToken)..];
        }

        int length;
        while ((length = Buffered.IndexOf("\r\n\r\n"u8)) < 0)
        {
            await ReceiveAsync(cancellationToken);
        }

        var status = ReadHead(Buffered[..length]);
        _start += length + 4;
        return status;
    }

    /// <summary>The next piece of the body as it arrived, valid until the next call; empty at its end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadBodyAsync(CancellationToken cancellationToken)
    {
        if (_chunked && _left == 0 && !_bodyEnded)
        {
            await ReadChunkHeadAsync(cancellationToken);
        }

        if (_bodyEnded)
        {
            return default;
        }

        if (_start == _end)
        {
            await ReceiveAsync(cancellationToken);
        }

        var piece = _buffer.AsMemory(_start, (int)Math.Min(_left, _end - _start));
        _start += piece.Length;
        _left -= piece.Length;
        _afterChunk = _chunked;
        _bodyEnded = !_chunked && _left == 0;
        return piece;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, _end - _start);

    private async ValueTask RequireSuccessAsync(int status, CancellationToken cancellationToken)
    {
        if (status is < 200 or > 299)
        {
            var answer = await ReadWholeBodyAsync(cancellationToken);
            throw new BenchException($"The gateway answered {status}: {Encoding.UTF8.GetString(answer.Span)}");
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReadWholeBodyAsync(CancellationToken cancellationToken)
    {
        var whole = new ArrayBufferWriter<byte>();
        while (await ReadBodyAsync(cancellationToken) is { IsEmpty: false } piece)
        {
            if (whole.WrittenCount + piece.Length > MaxAnswerBytes)
            {
                throw new BenchException($"An answer is longer than {MaxAnswerBytes} bytes.");
            }

            whole.Write(piece.Span);
        }

        return whole.WrittenMemory;
    }

    private int ReadHead(ReadOnlySpan<byte> head)
    {
        // "HTTP/1.1 200 OK"
        if (head.Length < 12 || !Utf8Parser.TryParse(head[9..12], out int status, out _))
        {
            throw new BenchException("The gateway answers something other than HTTP/1.1.");
        }

        _chunked = false;
        _afterChunk = false;
        _left = 0;
        for (var rest = head; rest.IndexOf("\r\n"u8) is var end and >= 0;)
        {
            rest = rest[(end + 2)..];
            if (HasName(rest, "Content-Length: "u8, out var value))
            {
                _ = Utf8Parser.TryParse(value, out _left, out _);
            }
            else if (HasName(rest, "Transfer-Encoding: "u8, out _))
            {
                _chunked = true;
            }
        }

        _bodyEnded = !_chunked && _left == 0;
        return status;
    }

    private static bool HasName(ReadOnlySpan<byte> header, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var matches = header.Length > name.Length && Ascii.EqualsIgnoreCase(header[..name.Length], name);
        value = matches ? header[name.Length..] : default;
        return matches;
    }

    private async ValueTask ReadChunkHeadAsync(CancellationToken cancellationToken)
    {
        var skipped = _afterChunk ? 2 : 0;
        int end;
        while (_end - _start < skipped || (end = Buffered[skipped..].IndexOf("\r\n"u8)) < 0)
        {
            await ReceiveAsync(cancellationToken);
        }

        if (!Utf8Parser.TryParse(Buffered.Slice(skipped, end), out _left, out _, standardFormat: 'x'))
        {
            throw new BenchException("A chunk of the answer has no length.");
        }

        _start += skipped + end + 2;
        _afterChunk = false;
        if (_left == 0)
        {
            // The empty line after the last chunk; the gateway sends no trailers.
            while (_end - _start < 2)
            {
                await ReceiveAsync(cancellationToken);
            }

            _start += 2;
            _bodyEnded = true;
        }
    }

    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _buffer.Length)
        {
            if (_start == 0)
            {
                throw new BenchException($"The head of an answer is longer than {BufferBytes} bytes.");
            }

            Buffered.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        var received = await _socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, cancellationToken);
        if (received == 0)
        {
            throw new BenchException("The gateway closed the connection in the middle of an answer.");
        }

        _end += received;
    }
}
