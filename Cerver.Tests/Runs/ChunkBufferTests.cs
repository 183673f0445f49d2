using System.Text;
using Cerver.Grains.Runs;
using Cerver.Runs;

namespace Cerver.Tests.Runs;

public sealed class ChunkBufferTests
{
    private const string Alphabet = "aä€😀\n";

    [Fact]
    public void Small_pieces_of_one_kind_become_one_chunk_and_kinds_stay_in_order()
    {
        var buffer = new ChunkBuffer();
        buffer.Add(OutputKind.Stdout, "a"u8);
        buffer.Add(OutputKind.Stdout, "b"u8);
        buffer.Add(OutputKind.Stderr, "c"u8);
        buffer.Add(OutputKind.Stdout, "d"u8);

        var chunks = buffer.Take(last: true);

        Assert.Equal(
            [(1L, OutputKind.Stdout, "ab"), (2L, OutputKind.Stderr, "c"), (3L, OutputKind.Stdout, "d")],
            chunks.Select(chunk => (chunk.Sequence, chunk.Kind, Encoding.UTF8.GetString(chunk.Data))));
    }

    [Fact]
    public void Sequence_numbers_go_on_from_take_to_take()
    {
        var buffer = new ChunkBuffer();
        buffer.Add(OutputKind.Stdout, "a"u8);
        buffer.Take(last: false);
        buffer.Add(OutputKind.Stdout, "b"u8);

        Assert.Equal(2, Assert.Single(buffer.Take(last: false)).Sequence);
        Assert.Empty(buffer.Take(last: false));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(40_000)]
    public void Characters_are_never_cut_however_the_bytes_arrive(int pieceBytes)
    {
        var text = string.Concat(Enumerable.Repeat(Alphabet, 8_000));
        var bytes = Encoding.UTF8.GetBytes(text);
        var buffer = new ChunkBuffer();
        var chunks = new List<RunChunk>();
        foreach (var piece in bytes.Chunk(pieceBytes))
        {
            buffer.Add(OutputKind.Stdout, piece);
            if (buffer.Bytes > 30_000)
            {
                chunks.AddRange(buffer.Take(last: false));
            }
        }

        chunks.AddRange(buffer.Take(last: true));

        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        Assert.Equal(text, string.Concat(chunks.Select(chunk => strict.GetString(chunk.Data))));
        Assert.All(chunks, chunk => Assert.InRange(chunk.Data.Length, 1, ChunkBuffer.MaxChunkBytes));
    }

    [Fact]
    public void Bytes_that_are_not_text_all_come_out()
    {
        var bytes = new byte[100_000];
        new Random(7).NextBytes(bytes);
        var buffer = new ChunkBuffer();
        foreach (var piece in bytes.Chunk(777))
        {
            buffer.Add(OutputKind.Stderr, piece);
        }

        Assert.Equal(bytes, buffer.Take(last: true).SelectMany(chunk => chunk.Data));
    }

    [Fact]
    public void A_character_that_was_begun_waits_for_its_rest_and_is_given_out_at_the_end()
    {
        var buffer = new ChunkBuffer();
        buffer.Add(OutputKind.Stdout, [(byte)'a', 0xE2, 0x82]);

        Assert.Equal("a"u8.ToArray(), Assert.Single(buffer.Take(last: false)).Data);
        Assert.Equal([0xE2, 0x82], Assert.Single(buffer.Take(last: true)).Data);
    }
}
