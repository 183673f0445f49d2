using System.Buffers.Text;

namespace Cerver.Bench.Runs;

/// <summary>
/// Reads the lines of a program that prints what time it is, and notes how long each took to come here. Program and reader are on one
/// machine and so have one clock.
/// </summary>
internal sealed class PrintedClock
{
    /// <summary>Prints a line with the seconds since 1970, to six places.</summary>
    public const string PrintLine = "echo $EPOCHREALTIME";

    private readonly List<double> _milliseconds = [];
    private long _since = long.MaxValue;

    /// <summary>The delays of the lines that were printed since <see cref="Begin"/>, in milliseconds.</summary>
    public IReadOnlyList<double> Milliseconds => _milliseconds;

    /// <summary>Lines that are printed from now on count.</summary>
    public void Begin() => Volatile.Write(ref _since, NowMicroseconds());

    /// <summary>Lines that are printed from now on no longer count.</summary>
    public void End() => Volatile.Write(ref _since, long.MaxValue);

    /// <summary>Takes whole lines.</summary>
    /// <exception cref="BenchException">A line is no time.</exception>
    public void Take(ReadOnlySpan<byte> lines)
    {
        var now = NowMicroseconds();
        var since = Volatile.Read(ref _since);
        foreach (var range in lines.Split((byte)'\n'))
        {
            if (lines[range] is { IsEmpty: false } line)
            {
                if (!Utf8Parser.TryParse(line, out decimal seconds, out var length) || length != line.Length)
                {
                    throw new BenchException("A program that prints the time printed something else.");
                }

                var printed = (long)(seconds * 1_000_000);
                if (printed >= since)
                {
                    _milliseconds.Add((now - printed) / 1_000.0);
                }
            }
        }
    }

    /// <summary>The delay in milliseconds that this share of the lines, 0..1, did not exceed.</summary>
    /// <param name="clocks">The clocks whose lines are taken together; at least one line.</param>
    /// <param name="share">The share.</param>
    /// <exception cref="BenchException">There is no line.</exception>
    public static double Percentile(IEnumerable<PrintedClock> clocks, double share)
    {
        var sorted = clocks.SelectMany(clock => clock._milliseconds).Order().ToList();
        return sorted.Count > 0 ? sorted[(int)(share * (sorted.Count - 1))] : throw new BenchException("Not a single line came in time.");
    }

    private static long NowMicroseconds() => (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
