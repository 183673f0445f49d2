using System.Buffers;
using Cerver.Runs;

namespace Cerver.Grains.Runs;

/// <summary>Joins pieces of output to chunks of at most 16 KiB, in order, and never cuts within a character of UTF-8. Pure.</summary>
internal sealed class ChunkBuffer
{
    /// <summary>The largest chunk, in bytes.</summary>
    public const int MaxChunkBytes = 16 * 1024;

    private readonly ArrayBufferWriter<byte> _open = new(MaxChunkBytes);
    private readonly List<RunChunk> _closed = [];
    private readonly byte[][] _cut = [[], []];
    private OutputKind _kind = OutputKind.Stdout;

    /// <summary>The sequence number of the last chunk that was taken.</summary>
    public long Head { get; private set; }

    /// <summary>How many bytes wait to be taken.</summary>
    public int Bytes { get; private set; }

    /// <summary>Adds a piece.</summary>
    public void Add(OutputKind kind, ReadOnlySpan<byte> data)
    {
        ref var cut = ref _cut[(int)kind - 1];
        if (cut.Length > 0)
        {
            byte[] joined = [.. cut, .. data];
            data = joined;
        }

        var whole = WholeCharacters(data, data.Length);
        cut = data[whole..].ToArray();
        Write(kind, data[..whole]);
    }

    /// <summary>Takes what is there as chunks with the next sequence numbers.</summary>
    /// <param name="last">Whether no more will come, so that a character that was begun is given out as it is.</param>
    public ImmutableArray<RunChunk> Take(bool last)
    {
        if (last)
        {
            Write(OutputKind.Stdout, _cut[0]);
            Write(OutputKind.Stderr, _cut[1]);
        }

        Close();
        var chunks = _closed.ToImmutableArray();
        _closed.Clear();
        Bytes = 0;
        return chunks;
    }

    private void Write(OutputKind kind, ReadOnlySpan<byte> data)
    {
        Bytes += data.Length;
        while (data.Length > 0)
        {
            if (kind != _kind)
            {
                Close();
                _kind = kind;
            }

            var room = MaxChunkBytes - _open.WrittenCount;
            var part = data.Length <= room ? data.Length : WholeCharacters(data, room);
            if (part == 0)
            {
                Close();
                continue;
            }

            _open.Write(data[..part]);
            data = data[part..];
        }
    }

    private void Close()
    {
        if (_open.WrittenCount > 0)
        {
            _closed.Add(new RunChunk(++Head, _kind, _open.WrittenSpan.ToArray()));
            _open.ResetWrittenCount();
        }
    }

    /// <summary>
    /// The largest length up to <paramref name="length"/> that does not end within a character. Bytes that are not text end anywhere.
    /// </summary>
    private static int WholeCharacters(ReadOnlySpan<byte> data, int length)
    {
        // A character has at most four bytes, so one that is cut began at most three bytes before the end.
        for (var back = 1; back <= Math.Min(3, length); back++)
        {
            var lead = data[length - back];
            if ((lead & 0xC0) != 0x80)
            {
                var needs = lead switch { >= 0xF0 and < 0xF8 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
                return lead < 0xF8 && needs > back ? length - back : length;
            }
        }

        return length;
    }
}
