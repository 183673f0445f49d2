using System.Buffers;
using Cerver.Grains.Computes;
using Cerver.Runs;

namespace Cerver.Relay.Runs;

/// <summary>Joins pieces of output to records of a spool. What is beyond a limit is left out, so that nobody fills the disk; the gateway knows the limit.</summary>
internal sealed class GatheredOutput(RunSpool spool, long maxBytes)
{
    private readonly ArrayBufferWriter<byte> _open = new();
    private OutputKind _kind = OutputKind.Stdout;
    private long _left = maxBytes;

    /// <summary>How many bytes wait to be written.</summary>
    public int Bytes => _open.WrittenCount;

    /// <summary>Adds a piece.</summary>
    public void Add(SandboxOutput output)
    {
        if (output.Kind != _kind)
        {
            Flush();
            _kind = output.Kind;
        }

        var data = output.Data.Span[..(int)Math.Min(output.Data.Length, _left)];
        _left -= data.Length;
        while (data.Length > 0)
        {
            var part = data[..Math.Min(data.Length, RunSpool.MaxDataBytes - _open.WrittenCount)];
            _open.Write(part);
            data = data[part.Length..];
            if (_open.WrittenCount == RunSpool.MaxDataBytes)
            {
                Flush();
            }
        }
    }

    /// <summary>Writes what waits.</summary>
    public void Flush()
    {
        if (_open.WrittenCount > 0)
        {
            spool.Add(_kind, _open.WrittenSpan);
            _open.ResetWrittenCount();
        }
    }
}
