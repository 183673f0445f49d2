using System.Text;

namespace Cerver.Bench.Secrets;

/// <summary>Looks for a text in output, however that comes in pieces.</summary>
internal sealed class SoughtText
{
    private readonly byte[] _sought;
    private readonly byte[] _joint;
    private int _kept;
    private int _found;

    /// <summary>Looks for a text of two bytes at least.</summary>
    public SoughtText(string sought)
    {
        _sought = Encoding.UTF8.GetBytes(sought);
        _joint = new byte[2 * (_sought.Length - 1)];
    }

    /// <summary>How many bytes it has.</summary>
    public int Length => _sought.Length;

    /// <summary>Takes a piece.</summary>
    public void Take(ReadOnlySpan<byte> piece)
    {
        // What begins in the pieces before and ends in this one.
        var most = _sought.Length - 1;
        var head = piece[..Math.Min(most, piece.Length)];
        head.CopyTo(_joint.AsSpan(_kept));
        ReadOnlySpan<byte> joined = _joint.AsSpan(0, _kept + head.Length);
        _found += joined.Count(_sought) + piece.Count(_sought);

        var tail = piece.Length >= most ? piece[^most..] : joined[^Math.Min(most, joined.Length)..];
        _kept = tail.Length;
        tail.CopyTo(_joint);
    }

    /// <summary>Begins anew.</summary>
    /// <exception cref="BenchException">The text was not there, or more than once.</exception>
    public void RequireOnce()
    {
        var found = _found;
        (_found, _kept) = (0, 0);
        if (found != 1)
        {
            throw new BenchException($"What was to be printed once in place of a value, or as it is, was printed {found} times.");
        }
    }
}
