using System.Text;
using System.Text.Json;
using Cerver.Api.Sessions.Importing;
using Cerver.Errors;
using Cerver.Sessions;
using CsCheck;

namespace Cerver.Tests.Sessions.Importing;

/// <summary>What files of several programs, and of several versions of them, become.</summary>
public sealed class ImportFileTests
{
    [Fact]
    public void A_file_of_an_early_Claude_Code_keeps_what_was_said_thought_and_done()
    {
        var file = ReadFile("claude-code-1.jsonl");

        Assert.Equal(
            [
                "08:00:00.100 System text Caveat: what follows came from local commands.",
                "08:00:01.000 User text <command-name>/clear</command-name>",
                "08:00:05.250 User text Why does the oven test fail?",
                "08:00:09.000 Assistant thinking The thermometer, perhaps.",
                "08:00:09.000 Assistant text I look at the test.",
                "08:00:09.000 Assistant tool_use  toolu_1 Read {\"file_path\":\"/home/ada/bakery/oven_test.py\",\"limit\":20}",
                "08:00:09.400 Tool tool_result assert oven.degrees == 230 toolu_1 Read",
                "08:00:10.000 User sidechain_text Find every use of degrees.",
                "08:00:11.000 Assistant sidechain_tool_use  toolu_2 Grep {\"pattern\":\"degrees\"}",
                "08:00:12.000 Assistant text The test wants Celsius.",
            ],
            Describe(file));
        Assert.Equal(("claude-code", "claude", "Bread that does not rise"), (file.Format, file.Transcript.Harness, file.Transcript.Title));
        Assert.Equal(
            """{"source":"import","imported_from":"claude-code","original_session_id":"11111111-aaaa-4000-8000-000000000000","cwd":"/home/ada/bakery","client_version":"1.0.31","git_branch":"sourdough","model":"claude-example-4"}""",
            file.Transcript.MetadataFor(file.Format, 65_536));
        Assert.Equal((At("2025-06-02T08:00:00.1Z"), At("2025-06-02T08:00:12Z")), (file.Transcript.CreatedAt, file.Transcript.UpdatedAt));
        Assert.Equal(0, file.Skipped.Count);
    }

    [Fact]
    public void A_file_of_a_later_Claude_Code_has_a_line_for_each_block_and_many_that_say_nothing()
    {
        var file = ReadFile("claude-code-2.jsonl");

        Assert.Equal(
            [
                "09:30:00.000 User text Here is the plan of the beds.\nWhat grows beside tomatoes?",
                "09:30:00.000 User text [image, image/png: 8 characters of base64 left out]",
                "09:30:03.000 Assistant tool_use  toolu_a Bash {\"command\":\"cat beds.txt\",\"description\":\"Shows the beds\"}",
                "09:30:03.500 Tool tool_result cat: beds.txt\nNo such file\n[image: left out] toolu_a Bash failed",
                "09:30:04.100 User text and basil?",
                "09:31:00.000 System compact_boundary Conversation compacted",
                "09:31:00.001 System compact_summary The user asked about tomatoes.",
                "09:31:09.000 Assistant tool_use  srvtoolu_1 web_search {\"query\":\"tomato companions\"}",
                "09:31:09.000 Tool tool_result {\"type\":\"web_search_result\",\"title\":\"Beds\"} srvtoolu_1 web_search",
                "09:31:09.000 Assistant text Basil and marigold.",
            ],
            Describe(file));
        Assert.Equal(("Garden beds", "Here is the plan of the beds.\nWhat grows beside tomatoes?"), (file.Transcript.Title, file.Transcript.FirstWords));
        Assert.Equal(0, file.Skipped.Count);
    }

    [Fact]
    public void A_file_of_an_agent_by_itself_is_a_conversation_of_its_own()
    {
        var file = ReadFile("claude-code-agent.jsonl");

        Assert.Equal(["09:30:05.000 User text List the beds.", "09:30:07.000 Assistant text North, south, and the frame."], Describe(file));
        Assert.Contains("\"agent_id\":\"a1b2c3d\"", file.Transcript.MetadataFor(file.Format, 65_536), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_an_early_Codex_has_one_time_for_all()
    {
        var file = ReadFile("codex-bare.jsonl");

        Assert.Equal(
            [
                "16:00:00.000 System text <environment_context>\nCurrent working directory: /home/li/boats\n</environment_context>",
                "16:00:00.000 User text Which boats are in the harbour?",
                "16:00:00.000 Assistant thinking **Looking at the list**\nIt is a file.",
                "16:00:00.000 Assistant tool_use  call_1 shell {\"command\":[\"cat\",\"boats.txt\"],\"timeout\":1000}",
                "16:00:00.000 Tool tool_result Anna\nBerta\n call_1 shell",
                "16:00:00.000 Assistant tool_use  call_2 local_shell {\"type\":\"exec\",\"command\":[\"ls\",\"quay\"],\"timeout_ms\":null,\"working_directory\":null}",
                "16:00:00.000 Tool tool_result ls: quay: no such directory\n call_2 local_shell failed",
                "16:00:00.000 Assistant text Anna and Berta.",
            ],
            Describe(file));
        Assert.Equal(("codex", "codex", null, "Which boats are in the harbour?"), (file.Format, file.Transcript.Harness, file.Transcript.Title, file.Transcript.FirstWords));

        // Its address may hold a password.
        Assert.Equal(
            """{"source":"import","imported_from":"codex","original_session_id":"44444444-bbbb-4000-8000-000000000000","git_branch":"harbour"}""",
            file.Transcript.MetadataFor(file.Format, 65_536));
        Assert.Equal(0, file.Skipped.Count);
    }

    [Fact]
    public void A_file_of_a_later_Codex_says_everything_twice_and_is_read_once()
    {
        var file = ReadFile("codex-envelope.jsonl");

        Assert.Equal(
            [
                "10:00:00.001 System text Stay in the directory.",
                "10:00:00.002 System text # AGENTS.md instructions for /home/li/lighthouse\n\nNo tabs.",
                "10:00:01.000 User text How often does the lamp turn?\n[image: left out]",
                "10:00:02.000 Assistant thinking Twelve seconds a turn.",
                "10:00:03.000 Assistant tool_use  call_a apply_patch {\"input\":\"*** Begin Patch\\n*** End Patch\"}",
                "10:00:03.100 Tool tool_result Success.\n call_a apply_patch",
                "10:00:04.000 Assistant tool_use  web_search {\"type\":\"search\",\"query\":\"lighthouse lamp\"}",
                "10:00:05.000 Assistant tool_use  call_b exec_command {\"arguments\":\"not json\"}",
                "10:00:05.500 Tool tool_result refused call_b exec_command failed",
                "10:00:06.000 Tool tool_result one\n[image: left out] call_c",
                "10:00:08.000 System compact_summary They spoke of the lamp.",
                "10:00:09.000 System turn_aborted interrupted",
                "10:00:12.000 Assistant text Five times a minute.",
            ],
            Describe(file));
        Assert.Equal(
            """{"source":"import","imported_from":"codex","original_session_id":"55555555-bbbb-7000-8000-000000000000","git_branch":"lamp","client_version":"0.55.0","cwd":"/home/li/lighthouse","model":"example-codex-5"}""",
            file.Transcript.MetadataFor(file.Format, 65_536));
        Assert.Equal(0, file.Skipped.Count);
    }

    [Fact]
    public void Lines_that_cannot_be_read_are_left_out_and_counted()
    {
        var good = """{"type":"user","sessionId":"s","message":{"role":"user","content":"hello"}}""";
        var lines = new[]
        {
            "not json", good, "[1]", "", good[..^5], """{"type":"user","sessionId":"s"}""", """{"type":"assistant","sessionId":"s","message":{"content":7}}""", good,
            good.Replace("hello", new string('x', ImportFileReader.MaxLineBytes), StringComparison.Ordinal), good,
        };

        var file = Read(string.Join('\n', lines));

        Assert.Equal(3, file.Transcript.Entries.Count);
        Assert.Equal((6, "1 3 5 6 7 9"), (file.Skipped.Count, string.Join(' ', file.Skipped.Lines)));
    }

    [Fact]
    public void A_note_that_is_too_long_is_left_out_and_not_cut()
    {
        var line = """{"type":"user","sessionId":"s","cwd":"CWD","message":{"role":"user","content":"hello"}}""";

        var (fits, tooLong) = (Read(line.Replace("CWD", new string('x', 1_000), StringComparison.Ordinal)), Read(line.Replace("CWD", new string('x', 1_001), StringComparison.Ordinal)));

        Assert.Contains("\"cwd\":", fits.Transcript.MetadataFor(fits.Format, 65_536), StringComparison.Ordinal);
        Assert.DoesNotContain("\"cwd\":", tooLong.Transcript.MetadataFor(tooLong.Format, 65_536), StringComparison.Ordinal);
    }

    [Fact]
    public void The_numbers_of_very_many_lines_are_not_all_told()
    {
        var file = Read($"{{\"index\":0,\"role\":\"user\",\"content\":\"a\"}}\n{string.Concat(Enumerable.Repeat("?\n", 1_000))}");

        Assert.Equal((1_000, 10), (file.Skipped.Count, file.Skipped.Lines.Length));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n")]
    [InlineData("hello\nworld")]
    [InlineData("{}")]
    [InlineData("{\"type\":\"user\"}")]
    public void A_file_of_which_nothing_can_be_read_is_refused_with_what_was_expected(string text)
    {
        var refusal = Assert.Throws<CerverException>(() => Read(text));

        Assert.Equal(CerverError.InvalidRequest, refusal.Code);
        Assert.Contains("Claude Code", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_the_same_however_its_lines_are_ended_and_in_whatever_pieces_it_comes()
    {
        var text = File.ReadAllText(PathOf("claude-code-1.jsonl"));
        var expected = HashOf(Read(text));

        Assert.Equal(expected, HashOf(Read(text.Replace("\n", "\r\n", StringComparison.Ordinal))));
        Assert.Equal(expected, HashOf(Read($"\uFEFF{text.TrimEnd()}")));
        Assert.Equal(expected, HashOf(Read($"{text}\n\n")));
        Assert.NotEqual(expected, HashOf(Read(text.Replace("Celsius", "Kelvin", StringComparison.Ordinal))));
        Assert.NotEqual(expected, HashOf(Read($"{text}\n?")));
        foreach (var size in (int[])[1, 7, 1_000])
        {
            var file = Read(text, size: size);
            Assert.Equal(expected, HashOf(file));
            Assert.Equal(10, file.Transcript.Entries.Count);
        }
    }

    [Fact]
    public void Too_many_entries_are_refused_with_the_limit()
    {
        var refusal = Assert.Throws<CerverException>(() => Read(File.ReadAllText(PathOf("claude-code-1.jsonl")), maxEntries: 9));

        Assert.Equal(CerverError.PayloadTooLarge, refusal.Code);
        Assert.Contains("more than 9 entries", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Halves_of_characters_and_bytes_that_are_no_text_become_the_sign_for_what_cannot_be_read()
    {
        var entries = Read("""
            {"index":0,"role":"user","content":"cut \ud83d"}
            {"index":1,"role":"user","content":"\udE00 and \\ud83d and \ud83d\ude00 and \ud83d\ud83d\ude00"}
            """).Transcript.Entries;
        var bytes = new ImportFileReader(format: null, maxEntries: 9);
        bytes.Take([.. "{\"index\":0,\"role\":\"user\",\"content\":\"a"u8, 0xff, .. "\"}"u8]);

        Assert.Equal(["cut \uFFFD", "\uFFFD and \\ud83d and \U0001F600 and \uFFFD\U0001F600"], entries.Select(entry => entry.Content));
        Assert.Equal("a\uFFFD", bytes.Complete().Transcript.Entries[0].Content);
        bytes.Dispose();
    }

    [Fact]
    public void Inputs_of_tools_that_readers_after_us_could_not_read_are_kept_as_texts()
    {
        var file = Read("""
            {"type":"assistant","sessionId":"s","message":{"content":[{"type":"tool_use","id":"1","name":"a","input":{"n":1e999}},{"type":"tool_use","id":"2","name":"a","input":{"a":1,"a":2}},{"type":"tool_use","id":"3","name":"a","input":["x"]},{"type":"tool_use","id":"4","name":"a"},{"type":"tool_use","id":"5","name":"a","input":{ "a" : [ 1.50, null ] }}]}}
            """);

        Assert.Equal(
            ["""{"json":"{\"n\":1e999}"}""", """{"json":"{\"a\":1,\"a\":2}"}""", """{"input":"[\"x\"]"}""", "{}", """{"a":[1.50,null]}"""],
            file.Transcript.Entries.Select(entry => entry.ToolInput));
    }

    [Fact]
    public void Entries_without_a_time_have_that_of_the_line_before_and_the_first_ones_that_of_the_line_after()
    {
        var file = Read("""
            {"index":0,"role":"user","content":"a"}
            {"index":1,"role":"user","content":"b","at":"2026-05-01T12:00:00Z"}
            {"index":2,"role":"user","content":"c"}
            {"index":3,"role":"user","content":"d","at":"2026-05-01T14:00:00+01:00"}
            """);

        Assert.Equal([12, 12, 12, 13], file.Transcript.Entries.Select(entry => entry.At!.Value.Hour));
    }

    [Fact]
    public void A_format_that_is_named_is_not_guessed()
    {
        var line = """{"type":"message","role":"user","content":"plain","sessionId":"s"}""";

        Assert.Equal("plain", Assert.Single(Read(line, format: "codex").Transcript.Entries).Content);
        Assert.Empty(Read(line, format: "claude-code").Transcript.Entries);
        Assert.Throws<CerverException>(() => Read("""{"index":0,"content":"a"}""", format: "codex"));
    }

    [Fact]
    public void No_line_whatever_its_shape_ends_the_reading()
    {
        // Members that all formats look at, with values of any kind.
        var value = Gen.Recursive<string>((depth, inner) => depth > 3
            ? Gen.Const("null")
            : Gen.OneOf(
                OneOf("null", "true", "1", "\"\"", "\"user\"", "\"text\"", "\"tool_use\"", "\"session_meta\"", "\"message\"", "\"function_call_output\"", "\"2026-05-01T12:00:00Z\"", "\"{\\\"output\\\":1}\""),
                inner.Array[0, 3].Select(items => $"[{string.Join(',', items)}]"),
                Gen.Select(
                    OneOf(
                        "type", "message", "content", "payload", "text", "input", "output", "role", "summary", "sessionId", "timestamp", "id", "name", "source", "session",
                        "index", "metadata", "attachment", "arguments", "action", "call_id", "uuid", "data", "git"),
                    inner).Array[0, 5].Select(members => $"{{{string.Join(',', members.Select(member => $"\"{member.Item1}\":{member.Item2}"))}}}")));

        Gen.Select(value.Array[1, 8], OneOf("claude-code", "codex", "cerver")).Sample(
            (lines, format) =>
            {
                using var reader = new ImportFileReader(format, maxEntries: 1_000);
                reader.Take(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
                try
                {
                    var file = reader.Complete();
                    using var metadata = JsonDocument.Parse(file.Transcript.MetadataFor(format, 65_536));
                    Assert.All(file.Transcript.Entries, entry => Assert.True(entry.ToolInput is null || JsonDocument.Parse(entry.ToolInput).RootElement.ValueKind == JsonValueKind.Object));
                }
                catch (CerverException refusal)
                {
                    Assert.Equal(CerverError.InvalidRequest, refusal.Code);
                }
            },
            iter: 5_000);
    }

    internal static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Sessions", "Importing", name);

    private static Gen<string> OneOf(params string[] words) => Gen.Int[0, words.Length - 1].Select(index => words[index]);

    private static ImportedFile ReadFile(string name) => Read(File.ReadAllText(PathOf(name)));

    private static ImportedFile Read(string text, string? format = null, int maxEntries = 100_000, int size = int.MaxValue)
    {
        using var reader = new ImportFileReader(format, maxEntries);
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(size))
        {
            reader.Take(piece);
        }

        return reader.Complete();
    }

    private static string HashOf(ImportedFile file) => Convert.ToHexString(file.ContentHash.AsSpan());

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Describe(ImportedFile file) => file.Transcript.Entries.Select(static entry => string.Join(
        ' ',
        ((string?[])
        [
            entry.At!.Value.ToString("HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture), $"{entry.Role}", entry.Kind, entry.Content, entry.ToolId, entry.ToolName,
            entry.ToolInput, entry.IsError == true ? "failed" : null,
        ]).Where(static part => part is not null)));
}
