using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Cerver.Tests.Http;
using ModelContextProtocol.Protocol;

namespace Cerver.Tests.Mcp;

[Collection(nameof(GatewayFixture))]
public sealed partial class TranscriptToolTests(GatewayFixture gateway) : IAsyncLifetime
{
    private Agent _agent = null!;

    public async Task InitializeAsync() => _agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token);

    public async Task DisposeAsync() => await _agent.DisposeAsync();

    [Fact]
    public async Task Peeking_shows_the_last_entries_and_pages_back_to_the_first()
    {
        var sessionId = await CreateAsync(Enumerable.Range(0, 25).Select(static index => $"entry {index}"));
        var (seen, cursor) = (new List<long>(), (string?)null);
        do
        {
            var page = await _agent.CallAsync("cerver_session_peek", new { session_id = sessionId, cursor });
            seen.InsertRange(0, page.GetProperty("entries").EnumerateArray().Select(static entry => entry.GetProperty("index").GetInt64()));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal(Enumerable.Range(0, 25).Select(static index => (long)index), seen);
    }

    [Fact]
    public async Task Peeking_from_an_entry_goes_forward()
    {
        var sessionId = await CreateAsync(Enumerable.Range(0, 8).Select(static index => $"entry {index}"));
        var first = await _agent.AskAsync("cerver_session_peek", new { session_id = sessionId, from_index = 3, last_n = 4 });
        var rest = await _agent.CallAsync("cerver_session_peek", new { session_id = sessionId, cursor = first.StructuredContent!.Value.GetProperty("next_cursor").GetString() });

        Assert.Contains("here are [3] to [6]", Agent.TextOf(first), StringComparison.Ordinal);
        Assert.Contains("entry 5", Agent.TextOf(first), StringComparison.Ordinal);
        Assert.Equal("entry 7", Assert.Single(rest.GetProperty("entries").EnumerateArray()).GetProperty("content").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, rest.GetProperty("next_cursor").ValueKind);
        Assert.Contains("has 8 entries", await _agent.FailAsync("cerver_session_peek", new { session_id = sessionId, from_index = 9 }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_transcript_is_no_failure()
    {
        var sessionId = await gateway.CreateTranscriptAsync();

        Assert.Equal(0, (await _agent.CallAsync("cerver_session_peek", new { session_id = sessionId })).GetProperty("entries").GetArrayLength());
        Assert.Contains("Entries: 0", Agent.TextOf(await _agent.AskAsync("cerver_session_export", new { session_id = sessionId })), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Long_entries_are_cut_with_a_word_on_how_to_read_the_rest()
    {
        var sessionId = await CreateAsync(Enumerable.Repeat(new string('x', 300_000), 12).Append(new string('ü', 500_000)));
        var peek = await _agent.AskAsync("cerver_session_peek", new { session_id = sessionId });

        var entries = peek.StructuredContent!.Value.GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal(12, entries[^1].GetProperty("index").GetInt64());
        Assert.Contains("cerver_session_export and cursor \"12\"", entries[^1].GetProperty("content").GetString(), StringComparison.Ordinal);
        Assert.Equal($"before:{entries[0].GetProperty("index").GetInt64()}", peek.StructuredContent.Value.GetProperty("next_cursor").GetString());
    }

    [Fact]
    public async Task The_pieces_of_an_export_are_the_export()
    {
        string[] contents = [.. Enumerable.Range(0, 40).Select(static index => new string('a', 7_000) + index), string.Concat(Enumerable.Repeat("日本語 🙂\n", 12_000)), "the end"];
        var sessionId = await CreateAsync(contents);
        var expected = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{sessionId}/export", UriKind.Relative));
        var (text, cursor, pieces) = (new StringBuilder(), "", 0);
        while (cursor is not null)
        {
            var answer = await _agent.AskAsync("cerver_session_export", new { session_id = sessionId, cursor });
            text.Append(Assert.IsType<TextContentBlock>(answer.Content[0]).Text);
            cursor = answer.Content.Count == 1 ? null : Cursor().Match(Assert.IsType<TextContentBlock>(answer.Content[1]).Text).Groups["cursor"].Value;
            pieces++;
        }

        Assert.Equal(expected, text.ToString());
        Assert.InRange(pieces, Encoding.UTF8.GetByteCount(expected) / 60_000, (Encoding.UTF8.GetByteCount(expected) / 50_000) + 2);
    }

    [Theory]
    [InlineData("3", "has 2 entries")]
    [InlineData("0:99999", "has 2 entries")]
    [InlineData("first", "must be the cursor")]
    public async Task A_place_that_there_is_not_is_refused(string cursor, string sentence)
    {
        var sessionId = await CreateAsync(["a", "b"]);

        Assert.Contains(sentence, await _agent.FailAsync("cerver_session_export", new { session_id = sessionId, cursor }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Appending_says_how_long_the_transcript_is_then()
    {
        var sessionId = await gateway.CreateTranscriptAsync();
        object entry = new { role = "tool", kind = "tool_use", tool_name = "grep", tool_id = "t1", tool_input = new { pattern = "x" }, at = "2026-01-02T03:04:05Z" };
        var appended = await _agent.CallAsync("cerver_session_append", new { session_id = sessionId, entries = new[] { entry }, expected_total = 0 });
        var taken = await _agent.CallAsync("cerver_session_input", new { session_id = sessionId, content = "and now?" });
        var peek = await _agent.CallAsync("cerver_session_peek", new { session_id = sessionId });

        Assert.Equal((1, 1L), (appended.GetProperty("appended").GetInt32(), appended.GetProperty("transcript_total").GetInt64()));
        Assert.Equal(2, taken.GetProperty("transcript_total").GetInt64());
        Assert.Equal("x", peek.GetProperty("entries")[0].GetProperty("tool_input").GetProperty("pattern").GetString());
        Assert.Contains(
            "transcript_total: 2",
            await _agent.FailAsync("cerver_session_append", new { session_id = sessionId, entries = new[] { new { role = "user", content = "late" } }, expected_total = 1 }),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"role": "nobody", "content": "x"}]""", "'entries[0].role' must be one of user, assistant, tool, system.")]
    [InlineData("""[{"role": "user", "content": "x"}, {"role": "user"}]""", "'entries[1].content' must be a text")]
    [InlineData("""[{"role": "user", "content": "x", "colour": "red"}]""", "'entries[0].colour' is not known here")]
    [InlineData("[]", "'entries' must be an array from 1 to 1,000 items.")]
    public async Task An_entry_that_is_wrong_is_named(string entries, string sentence)
    {
        var sessionId = await gateway.CreateTranscriptAsync();

        Assert.Contains(
            sentence,
            await _agent.FailAsync("cerver_session_append", new { session_id = sessionId, entries = System.Text.Json.JsonElement.Parse(entries) }),
            StringComparison.Ordinal);
    }

    [GeneratedRegex("cursor \"(?<cursor>[^\"]+)\"", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Cursor();

    private async Task<string> CreateAsync(IEnumerable<string> contents)
    {
        var sessionId = await gateway.CreateTranscriptAsync();
        foreach (var chunk in contents.Chunk(10))
        {
            var entries = chunk.Select(static content => new { role = "assistant", content });
            using var answer = await gateway.Client.PostAsync(
                new Uri(string.Create(CultureInfo.InvariantCulture, $"/v2/sessions/{sessionId}/transcript"), UriKind.Relative),
                System.Net.Http.Json.JsonContent.Create(new { entries }));
            Assert.Equal(System.Net.HttpStatusCode.Created, answer.StatusCode);
        }

        return sessionId;
    }
}
