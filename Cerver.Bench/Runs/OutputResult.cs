namespace Cerver.Bench.Runs;

/// <summary>What came of reading everything that a program prints.</summary>
/// <param name="Bytes">How much it printed on stdout.</param>
/// <param name="First">From the request to the first of it.</param>
/// <param name="Whole">From the request to the end.</param>
internal sealed record OutputResult(long Bytes, TimeSpan First, TimeSpan Whole)
{
    /// <summary>Megabytes per second.</summary>
    public double MegabytesPerSecond => Bytes / 1_000_000.0 / Whole.TotalSeconds;
}
