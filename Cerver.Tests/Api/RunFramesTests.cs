using System.Text;
using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Api.Runs;
using Cerver.Runs;

namespace Cerver.Tests.Api;

public sealed class RunFramesTests
{
    private static readonly RunRecord Ended = Examples.Run with
    {
        Status = RunStatus.Exited,
        ExitCode = 3,
        OutputHead = 2,
        EndedAt = Examples.Noon.AddMilliseconds(1_234),
    };

    [Fact]
    public async Task A_run_is_its_beginning_its_output_and_its_end()
    {
        var frames = await ReadAsync(Ended, after: RunFrames.Beginning, Chunk(1, OutputKind.Stdout, "hé\n"u8), Chunk(2, OutputKind.Stderr, "oh"u8));

        Assert.Equal(
            [
                $$"""0 run {"run_id":"{{Ended.RunId}}","session_id":"{{Ended.SessionId}}"}""",
                """1 stdout {"data":"hé\n"}""",
                """2 stderr {"data":"oh"}""",
                """3 exit {"exit_code":3,"duration_ms":1234,"timed_out":false,"cancelled":false}""",
            ],
            frames);
    }

    [Fact]
    public async Task Bytes_that_are_not_text_travel_as_base64()
    {
        var frames = await ReadAsync(Ended with { OutputHead = 1 }, after: 0, Chunk(1, OutputKind.Stdout, [0xFF, 0x00]));

        Assert.Equal("""1 stdout {"data_base64":"/wA="}""", frames[0]);
    }

    [Theory]
    [InlineData(RunStatus.TimedOut, """3 exit {"exit_code":3,"duration_ms":1234,"timed_out":true,"cancelled":false}""")]
    [InlineData(RunStatus.Cancelled, """3 exit {"exit_code":3,"duration_ms":1234,"timed_out":false,"cancelled":true}""")]
    public async Task The_end_says_why(RunStatus status, string end)
    {
        var frames = await ReadAsync(Ended with { Status = status }, after: 2);

        Assert.Equal([end], frames);
    }

    [Fact]
    public async Task Output_that_was_left_out_is_said()
    {
        var frames = await ReadAsync(Ended with { Truncated = true }, after: 2);

        Assert.EndsWith(""","truncated":true}""", frames.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_run_ends_with_an_error()
    {
        var frames = await ReadAsync(Ended with { Status = RunStatus.Lost, ExitCode = null }, after: 2);

        Assert.StartsWith("""3 error {"error":""", frames.Single(), StringComparison.Ordinal);
        Assert.EndsWith(""","code":"run_lost"}""", frames.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_that_is_gone_is_announced_before_what_follows_it_and_before_the_end()
    {
        var frames = await ReadAsync(Ended with { OutputHead = 8 }, after: 1, Chunk(4, OutputKind.Stdout, "d"u8), Chunk(5, OutputKind.Stdout, "e"u8));

        Assert.Equal(
            [
                """3 gap {"from":2,"to":3}""",
                """4 stdout {"data":"d"}""",
                """5 stdout {"data":"e"}""",
                """8 gap {"from":6,"to":8}""",
                """9 exit {"exit_code":3,"duration_ms":1234,"timed_out":false,"cancelled":false}""",
            ],
            frames);
    }

    [Fact]
    public async Task A_client_that_comes_back_after_a_gap_is_not_told_of_it_again()
    {
        var frames = await ReadAsync(Ended with { OutputHead = 4 }, after: 3, Chunk(4, OutputKind.Stdout, "d"u8));

        Assert.Equal(["4 stdout", "5 exit"], frames.Select(static frame => frame[..frame.IndexOf('{', StringComparison.Ordinal)].TrimEnd()));
    }

    [Fact]
    public void Output_with_a_hole_is_folded_up_to_the_hole()
    {
        var output = new FoldedOutput(maxBytes: 100);
        output.Add(Chunk(1, OutputKind.Stdout, "a"u8));
        output.Add(Chunk(3, OutputKind.Stdout, "c"u8));
        output.Add(Chunk(4, OutputKind.Stdout, "d"u8));

        Assert.True(output.Truncated);
        Assert.Equal("""{"stdout":"a","stderr":""}""", Write(output));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Output_that_ends_before_its_head_is_truncated(long head, bool truncated)
    {
        var output = new FoldedOutput(maxBytes: 100);
        output.Add(Chunk(1, OutputKind.Stdout, "a"u8));

        output.EndAt(head);

        Assert.Equal(truncated, output.Truncated);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1_000)]
    public async Task A_client_that_saw_the_end_gets_nothing(long after)
    {
        Assert.Empty(await ReadAsync(Ended, after));
    }

    [Fact]
    public async Task A_run_that_goes_on_after_its_output_is_a_mistake()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => ReadAsync(Examples.Run, after: 0));
    }

    [Fact]
    public void Output_is_folded_by_kind()
    {
        Assert.Equal("""{"stdout":"ac","stderr":"b"}""", Fold(100, Chunk(1, OutputKind.Stdout, "a"u8), Chunk(2, OutputKind.Stderr, "b"u8), Chunk(3, OutputKind.Stdout, "c"u8)));
    }

    [Fact]
    public void A_character_across_two_pieces_is_one_character()
    {
        Assert.Equal("""{"stdout":"€","stderr":""}""", Fold(100, Chunk(1, OutputKind.Stdout, [0xE2, 0x82]), Chunk(2, OutputKind.Stdout, [0xAC])));
    }

    [Fact]
    public void Bytes_that_are_not_text_are_folded_as_replacement_characters()
    {
        Assert.Equal("{\"stdout\":\"a\uFFFDb\",\"stderr\":\"\"}", Fold(100, Chunk(1, OutputKind.Stdout, [0x61, 0xFF, 0x62])));
    }

    [Fact]
    public void Output_beyond_the_limit_is_left_out_from_there_on()
    {
        var output = new FoldedOutput(maxBytes: 4);
        output.Add(Chunk(1, OutputKind.Stdout, "abc"u8));
        Assert.False(output.Truncated);

        output.Add(Chunk(2, OutputKind.Stdout, "de"u8));
        output.Add(Chunk(3, OutputKind.Stderr, "f"u8));

        Assert.True(output.Truncated);
        Assert.Equal("""{"stdout":"abc","stderr":""}""", Write(output));
    }

    private static RunChunk Chunk(long sequence, OutputKind kind, ReadOnlySpan<byte> data) => new(sequence, kind, data.ToArray());

    private static async Task<IReadOnlyList<string>> ReadAsync(RunRecord ended, long after, params RunChunk[] chunks)
    {
        var frames = new List<string>();
        await foreach (var frame in RunFrames.ReadAsync(ended, after, _ => chunks.ToAsyncEnumerable(), _ => Task.FromResult(ended)))
        {
            frames.Add($"{frame.Id} {Encoding.UTF8.GetString(frame.Event)} {Write(frame.WriteData)}");
        }

        return frames;
    }

    private static string Fold(int maxBytes, params ReadOnlySpan<RunChunk> chunks)
    {
        var output = new FoldedOutput(maxBytes);
        foreach (var chunk in chunks)
        {
            output.Add(chunk);
        }

        return Write(output);
    }

    private static string Write(FoldedOutput output) => Write(writer =>
    {
        writer.WriteStartObject();
        output.WriteMembers(writer);
        writer.WriteEndObject();
    });

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using var writer = new Utf8JsonWriter(stream, JsonAnswer.WriterOptions);
        write(writer);
        writer.Flush();
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
