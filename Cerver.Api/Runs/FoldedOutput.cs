using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>The output of a run as a whole: its beginning, up to a limit.</summary>
/// <param name="maxBytes">How much is kept, of both outputs together.</param>
internal sealed class FoldedOutput(int maxBytes)
{
    private readonly List<byte[]> _stdout = [];
    private readonly List<byte[]> _stderr = [];
    private int _bytes;
    private long _next = 1;

    /// <summary>Whether there was more than is kept.</summary>
    public bool Truncated { get; private set; }

    /// <summary>
    /// Takes the next piece. From the first that does not fit on, none is kept: output with a hole in it would be worse than its beginning.
    /// </summary>
    public void Add(RunChunk chunk)
    {
        Truncated |= chunk.Sequence != _next || chunk.Data.Length > maxBytes - _bytes;
        _next = chunk.Sequence + 1;
        if (!Truncated)
        {
            _bytes += chunk.Data.Length;
            (chunk.Kind == OutputKind.Stdout ? _stdout : _stderr).Add(chunk.Data);
        }
    }

    /// <summary>Says how much output there was. What did not come is gone.</summary>
    /// <param name="head">The sequence number of the last piece.</param>
    public void EndAt(long head) => Truncated |= head >= _next;

    /// <summary>Writes both outputs as members of an object that is open.</summary>
    public void WriteMembers(Utf8JsonWriter writer)
    {
        Write(writer, "stdout"u8, _stdout);
        Write(writer, "stderr"u8, _stderr);
    }

    /// <summary>A character may stand across two pieces, so bytes are read as text when all of them are there.</summary>
    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, List<byte[]> pieces)
    {
        var bytes = pieces.Count == 1 ? pieces[0] : Join(pieces);
        if (Utf8.IsValid(bytes))
        {
            writer.WriteString(name, bytes);
        }
        else
        {
            writer.WriteString(name, Encoding.UTF8.GetString(bytes));
        }
    }

    private static byte[] Join(List<byte[]> pieces)
    {
        var whole = new byte[pieces.Sum(static piece => piece.Length)];
        var length = 0;
        foreach (var piece in pieces)
        {
            piece.CopyTo(whole, length);
            length += piece.Length;
        }

        return whole;
    }
}
