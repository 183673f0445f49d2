using System.Buffers;
using System.IO.Pipelines;

namespace Cerver.Api.Mcp.Stdio;

/// <summary>Reads lines of bounded length.</summary>
/// <param name="input">Where from.</param>
/// <param name="maxBytes">How long a line may be. A longer one is dropped.</param>
internal sealed class LineReader(Stream input, int maxBytes)
{
    private readonly PipeReader _input = PipeReader.Create(input);

    /// <summary>The next line without what ends it; null at the end of the input.</summary>
    /// <returns>The line, or one that is not whole when it was too long.</returns>
    public async ValueTask<(byte[] Line, bool IsWhole)?> ReadAsync()
    {
        var isWhole = true;
        while (true)
        {
            var read = await _input.ReadAsync();
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                isWhole &= line.Length <= maxBytes;
                var bytes = isWhole ? line.ToArray() : [];
                _input.AdvanceTo(buffer.GetPosition(1, end));
                return (bytes, isWhole);
            }

            if (read.IsCompleted)
            {
                // What is not ended by a line break was meant to be a message all the same.
                var rest = buffer.Length <= maxBytes ? buffer.ToArray() : [];
                _input.AdvanceTo(buffer.End);
                return buffer.IsEmpty || !isWhole ? null : (rest, rest.Length > 0);
            }

            isWhole &= buffer.Length <= maxBytes;
            _input.AdvanceTo(isWhole ? buffer.Start : buffer.End, buffer.End);
        }
    }
}
