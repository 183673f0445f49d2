using System.Text;
using Cerver.Grains.Runs;

namespace Cerver.Tests.Runs;

public sealed class OutputDigestTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32_000)]
    [InlineData(32_001)]
    [InlineData(64_000)]
    public void Output_that_fits_is_kept_whole(int length)
    {
        var text = Lines(length);

        Assert.Equal(text, Digest(text, pieceBytes: 7_001));
    }

    [Theory]
    [InlineData(64_001, 1_000)]
    [InlineData(200_000, 333)]
    [InlineData(200_000, 100_000)]
    [InlineData(1_000_000, 65_536)]
    public void Longer_output_is_beginning_mark_and_end(int length, int pieceBytes)
    {
        var text = Lines(length);

        var digest = Digest(text, pieceBytes);

        Assert.StartsWith(text[..32_000], digest, StringComparison.Ordinal);
        Assert.EndsWith(text[^32_000..], digest, StringComparison.Ordinal);
        Assert.Contains($"[… {length - 64_000} bytes left out; the whole output is in run run_x …]", digest, StringComparison.Ordinal);
        Assert.True(Encoding.UTF8.GetByteCount(digest) <= 64 * 1024);
    }

    [Fact]
    public void What_is_not_text_stays_within_the_limit()
    {
        var digest = new OutputDigest("run_x");
        for (var i = 0; i < 30; i++)
        {
            digest.Add(Enumerable.Repeat((byte)0xFF, 10_000).ToArray());
        }

        Assert.InRange(Encoding.UTF8.GetByteCount(digest.ToString()), 1, 64 * 1024);
    }

    [Fact]
    public void A_zero_character_is_replaced()
    {
        var digest = new OutputDigest("run_x");
        digest.Add("a\0b"u8);

        Assert.Equal("a\uFFFDb", digest.ToString());
    }

    private static string Lines(int length) => string.Concat(Enumerable.Range(0, (length / 8) + 1).Select(i => $"{i,7}\n"))[..length];

    private static string Digest(string text, int pieceBytes)
    {
        var digest = new OutputDigest("run_x");
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(pieceBytes))
        {
            digest.Add(piece);
        }

        return digest.ToString();
    }
}
