using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Cerver.Tests.Sessions.Importing;
using static Cerver.Tests.Http.GatewayFixture;

namespace Cerver.Tests.Http;

/// <summary>Files of other programs, and exports of our own, that become sessions.</summary>
[Collection(nameof(GatewayFixture))]
public sealed class ImportHttpTests(GatewayFixture gateway)
{
    [Theory]
    [InlineData("claude-code-1.jsonl", "claude-code", "claude", "Bread that does not rise", 10)]
    [InlineData("claude-code-2.jsonl", "claude-code", "claude", "Garden beds", 10)]
    [InlineData("claude-code-agent.jsonl", "claude-code", "claude", "List the beds.", 2)]
    [InlineData("codex-bare.jsonl", "codex", "codex", "Which boats are in the harbour?", 8)]
    [InlineData("codex-envelope.jsonl", "codex", "codex", "How often does the lamp turn?", 13)]
    public async Task A_file_becomes_a_session_once(string name, string format, string harness, string title, int total)
    {
        var text = await File.ReadAllTextAsync(ImportFileTests.PathOf(name));

        using var first = await ImportAsync(gateway.Client, text);
        using var again = await ImportAsync(gateway.Client, text.Replace("\n", "\r\n", StringComparison.Ordinal), "?name=other");

        var (made, found) = (await JsonAsync(first), await JsonAsync(again));
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, again.StatusCode));
        Assert.Equal((true, false), (made.GetProperty("imported").GetBoolean(), found.GetProperty("imported").GetBoolean()));
        Assert.Equal($"/v2/sessions/{Text(made, "session_id")}", first.Headers.Location!.ToString());
        foreach (var answer in (JsonElement[])[made, found])
        {
            Assert.Equal(
                (Text(made, "session_id"), title, "idle", harness, format, total, 0),
                (Text(answer, "session_id"), Text(answer, "session_name"), Text(answer, "status"), Text(answer, "harness"), Text(answer, "format"),
                    answer.GetProperty("transcriptTotal").GetInt32(), answer.GetProperty("skipped").GetProperty("count").GetInt32()));
        }

        var record = await gateway.GetAsync($"/v2/sessions/{Text(made, "session_id")}");
        var times = record.GetProperty("transcript").EnumerateArray().Select(entry => Text(entry, "at")!).ToList();
        Assert.Equal((times.Min(StringComparer.Ordinal), times.Max(StringComparer.Ordinal)), (Text(record, "createdAt"), Text(record, "updatedAt")));
        Assert.Equal(("transcript", "none", "import", format), (
            Text(record, "sessionType"), Text(record, "provider"), Text(record.GetProperty("metadata"), "source"), Text(record.GetProperty("metadata"), "imported_from")));
    }

    [Fact]
    public async Task The_same_file_sent_eight_times_at_once_is_one_session()
    {
        var text = NewFile(entries: 1_700);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using var response = await ImportAsync(gateway.Client, text);
            return (response.StatusCode, Answer: await JsonAsync(response));
        }));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Equal(7, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        var id = Assert.Single(answers.Select(answer => Text(answer.Answer, "session_id")!).Distinct());
        var transcript = (await gateway.GetAsync($"/v2/sessions/{id}")).GetProperty("transcript");
        Assert.Equal(Enumerable.Range(0, 1_700).Select(i => $"entry {i}"), transcript.EnumerateArray().Select(entry => Text(entry, "content")!.Split('\t')[0]));
    }

    [Fact]
    public async Task The_same_file_is_another_session_for_another_account()
    {
        var text = NewFile(entries: 3);

        using var mine = await ImportAsync(gateway.Client, text);
        using var theirs = await ImportAsync(gateway.Other, text);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (mine.StatusCode, theirs.StatusCode));
        Assert.NotEqual(Text(await JsonAsync(mine), "session_id"), Text(await JsonAsync(theirs), "session_id"));
    }

    [Fact]
    public async Task An_export_is_imported_with_everything_that_was_said_and_done()
    {
        var id = await gateway.CreateAsync(new
        {
            session_name = "a round trip",
            harness = "claude",
            task = "to go there and back",
            workload = "travel",
            compute = "local",
            requirements = new { runtime = "shell" },
            metadata = new { source = "cli", trip = new[] { 1, 2 } },
        });
        var entries = new object[]
        {
            new { role = "user", content = "words \u2028 \U0001F600 \"quoted\"\r\n", at = "2026-02-03T04:05:06.123456Z" },
            new { role = "assistant", kind = "thinking", content = "hm" },
            new { role = "assistant", kind = "tool_use", tool_id = "t1", tool_name = "look", tool_input = new { a = new object?[] { 1.5, null, "<&>" } } },
            new { role = "assistant", kind = "tool_use", content = "with words", tool_id = "t2", tool_name = "look", tool_input = new { } },
            new { role = "tool", kind = "tool_result", content = "seen", tool_id = "t1", is_error = false },
            new { role = "tool", kind = "tool_result", content = "not seen", tool_id = "t2", is_error = true },
            new { role = "system", kind = "a_kind_of_our_own", content = "{}" },
        };
        (await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/transcript", new { entries })).EnsureSuccessStatusCode();
        foreach (var code in (string[])["true", "printf 'a\\0b'; exit 3"])
        {
            (await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/run", new { code })).EnsureSuccessStatusCode();
        }

        (await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/compute", new { compute = (string?)null })).EnsureSuccessStatusCode();
        (await gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{id}", UriKind.Relative))).EnsureSuccessStatusCode();
        var export = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{id}/export?format=jsonl", UriKind.Relative));

        using var response = await ImportAsync(gateway.Other, export);
        var imported = await JsonAsync(response);
        var back = await gateway.Other.GetStringAsync(new Uri($"/v2/sessions/{Text(imported, "session_id")}/export?format=jsonl", UriKind.Relative));

        Assert.Equal((HttpStatusCode.Created, "ended", "cerver"), (response.StatusCode, Text(imported, "status"), Text(imported, "format")));
        Assert.Equal(export.Split('\n')[1..], back.Split('\n')[1..]);
        var (before, after) = (Head(export), Head(back));
        foreach (var member in (string[])["sessionName", "status", "harness", "task", "workload", "createdAt", "updatedAt", "transcriptTotal", "requirements"])
        {
            Assert.Equal(before.GetProperty(member).GetRawText(), after.GetProperty(member).GetRawText());
        }

        var metadata = after.GetProperty("metadata");
        Assert.Equal(("import", "cerver", "cli", id, "[1,2]"), (
            Text(metadata, "source"), Text(metadata, "imported_from"), Text(metadata, "original_source"), Text(metadata, "original_session_id"), metadata.GetProperty("trip").GetRawText()));
    }

    [Fact]
    public async Task An_export_without_entries_is_a_session_too()
    {
        var id = await gateway.CreateTranscriptAsync();
        var export = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{id}/export?format=jsonl", UriKind.Relative));

        using var response = await ImportAsync(gateway.Other, export);

        Assert.Equal((HttpStatusCode.Created, 0), (response.StatusCode, (await JsonAsync(response)).GetProperty("transcriptTotal").GetInt32()));
    }

    [Fact]
    public async Task A_file_that_only_has_a_title_makes_no_session()
    {
        using var response = await ImportAsync(gateway.Client, """{"type":"summary","summary":"Nothing was said","leafUuid":"x"}""");

        var answer = await JsonAsync(response);
        Assert.Equal((HttpStatusCode.OK, JsonValueKind.Null, false), (response.StatusCode, answer.GetProperty("session_id").ValueKind, answer.GetProperty("imported").GetBoolean()));
    }

    [Fact]
    public async Task What_was_purged_comes_back_when_it_is_imported_again()
    {
        var text = NewFile(entries: 700);
        var id = Text(await JsonAsync(await ImportAsync(gateway.Client, text)), "session_id");
        (await gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{id}?purge=1", UriKind.Relative))).EnsureSuccessStatusCode();

        using var again = await ImportAsync(gateway.Client, text);

        Assert.Equal((HttpStatusCode.Created, id), (again.StatusCode, Text(await JsonAsync(again), "session_id")));
        Assert.Equal(700, (await gateway.GetAsync($"/v2/sessions/{id}")).GetProperty("transcript").GetArrayLength());
    }

    [Fact]
    public async Task Lines_that_cannot_be_read_are_told_and_the_rest_is_kept()
    {
        using var response = await ImportAsync(gateway.Client, $"broken\n{NewFile(entries: 2)}{{\"index\":");

        var answer = await JsonAsync(response);
        Assert.Equal((HttpStatusCode.Created, 2), (response.StatusCode, answer.GetProperty("transcriptTotal").GetInt32()));
        Assert.Equal("""{"count":2,"lines":[1,4]}""", answer.GetProperty("skipped").GetRawText());
    }

    [Theory]
    [InlineData("application/json", "", "{}", HttpStatusCode.UnsupportedMediaType, "invalid_request", null)]
    [InlineData("application/x-ndjson", "", "hello", HttpStatusCode.BadRequest, "invalid_request", null)]
    [InlineData("text/plain; charset=utf-8", "", "", HttpStatusCode.BadRequest, "invalid_request", null)]
    [InlineData("application/octet-stream", "?format=word", "{}", HttpStatusCode.BadRequest, "invalid_request", "format")]
    [InlineData("application/jsonl", "?format=codex", """{"index":0,"content":"a"}""", HttpStatusCode.BadRequest, "invalid_request", null)]
    public async Task What_is_no_file_to_import_is_refused_with_what_is(string contentType, string query, string body, HttpStatusCode status, string code, string? field)
    {
        using var response = await ImportAsync(gateway.Client, body, query, contentType);

        var refusal = await JsonAsync(response);
        Assert.Equal((status, code), (response.StatusCode, Text(refusal, "code")));
        Assert.Equal(field, refusal.TryGetProperty("field", out var name) ? name.GetString() : null);
    }

    [Fact]
    public async Task A_name_is_the_sessions_name_and_one_that_is_too_long_is_refused()
    {
        using var named = await ImportAsync(gateway.Client, NewFile(entries: 1), "?name=My%20own");
        using var refused = await ImportAsync(gateway.Client, NewFile(entries: 1), $"?name={new string('n', 201)}");

        Assert.Equal("My own", Text(await JsonAsync(named), "session_name"));
        Assert.Equal((HttpStatusCode.BadRequest, "session_name"), (refused.StatusCode, Text(await JsonAsync(refused), "field")));
    }

    [Fact]
    public async Task A_file_beyond_the_limits_is_refused_with_the_limit_and_the_connection_stays()
    {
        var large = new string('x', 65 * 1_024 * 1_024);

        using var withLength = await ImportAsync(gateway.Client, large);
        using var content = new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes(large))) { Headers = { ContentType = new("application/x-ndjson") } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/sessions/import") { Content = content, Headers = { TransferEncodingChunked = true } };
        using var withoutLength = await gateway.Client.SendAsync(request);
        using var entries = await ImportAsync(gateway.Client, NewFile(entries: 100_001));

        foreach (var (response, limit) in ((HttpResponseMessage, string)[])[(withLength, "67108864"), (withoutLength, "67108864"), (entries, "100000")])
        {
            var refusal = await JsonAsync(response);
            Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "payload_too_large"), (response.StatusCode, Text(refusal, "code")));
            Assert.Contains(limit, Text(refusal, "error"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_import_whose_caller_went_away_is_completed_by_the_next_one()
    {
        var text = NewFile(entries: 40_000);
        using (var away = new CancellationTokenSource())
        {
            var import = ImportAsync(gateway.Client, text, cancellationToken: away.Token);
            await UntilAsync(async () => await FindIncompleteAsync() > 0);
            await away.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import);
        }

        using var again = await ImportAsync(gateway.Client, text);

        var answer = await JsonAsync(again);
        Assert.Equal((HttpStatusCode.Created, 40_000), (again.StatusCode, answer.GetProperty("transcriptTotal").GetInt32()));
        var export = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{Text(answer, "session_id")}/export?format=jsonl", UriKind.Relative));
        Assert.Equal(
            Enumerable.Range(0, 40_000).Select(i => $"entry {i}"),
            export.Split('\n')[1..^1].Select(line => Text(JsonDocument.Parse(line).RootElement, "content")!.Split('\t')[0]));
    }

    [Fact]
    public async Task The_script_imports_whole_directories_and_says_what_became_of_each_file()
    {
        var directory = Directory.CreateTempSubdirectory("cerver-history-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(directory, "a project", "deeper"));
            await File.WriteAllTextAsync(Path.Combine(directory, "a project", "one.jsonl"), NewFile(entries: 3));
            await File.WriteAllTextAsync(Path.Combine(directory, "a project", "deeper", "two.jsonl"), NewFile(entries: 4));
            await File.WriteAllTextAsync(Path.Combine(directory, "empty.jsonl"), """{"type":"summary","summary":"Nothing was said","leafUuid":"x"}""");
            await File.WriteAllTextAsync(Path.Combine(directory, "other.txt"), "not looked at");

            var first = await RunScriptAsync(directory);
            await File.WriteAllTextAsync(Path.Combine(directory, "broken.jsonl"), "hello");
            var second = await RunScriptAsync(directory);

            Assert.Equal((0, ""), (first.ExitCode, first.Error));
            Assert.Contains("3 files: 2 imported, 0 already there, 1 with nothing to import, 0 failed", first.Output, StringComparison.Ordinal);
            Assert.Equal(1, second.ExitCode);
            Assert.Contains("4 files: 0 imported, 2 already there, 1 with nothing to import, 1 failed", second.Output, StringComparison.Ordinal);
            Assert.Contains("broken.jsonl: Nothing in this file could be read.", second.Error, StringComparison.Ordinal);
            Assert.DoesNotContain('\r', first.Output + second.Output);
            Assert.DoesNotContain('\u001b', first.Output + second.Output);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string? Text(JsonElement value, string name) => value.GetProperty(name).GetString();

    private static JsonElement Head(string export) => JsonDocument.Parse(export.Split('\n')[0]).RootElement.GetProperty("session");

    /// <summary>A file that nobody has sent yet.</summary>
    private static string NewFile(int entries)
    {
        var mark = Guid.NewGuid();
        return string.Concat(Enumerable.Range(0, entries).Select(i => string.Create(
            CultureInfo.InvariantCulture, $"{{\"index\":{i},\"at\":\"2026-05-01T12:00:00Z\",\"role\":\"user\",\"kind\":\"text\",\"content\":\"entry {i}\\t{mark}\"}}\n")));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    private static async Task<HttpResponseMessage> ImportAsync(
        HttpClient client, string text, string query = "", string contentType = "application/x-ndjson", CancellationToken cancellationToken = default)
    {
        using var content = new StringContent(text) { Headers = { ContentType = MediaTypeHeaderValue.Parse(contentType) } };
        return await client.PostAsync(new Uri($"/v2/sessions/import{query}", UriKind.Relative), content, cancellationToken);
    }

    private async Task<int> FindIncompleteAsync() => (await gateway.GetAsync("/v2/sessions?source=import&limit=200")).GetProperty("sessions").EnumerateArray()
        .Count(session => Text(session, "endReason") == "import_incomplete" && session.GetProperty("transcriptTotal").GetInt32() >= 500);

    private async Task<(int ExitCode, string Output, string Error)> RunScriptAsync(string directory)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Cerver.sln")))
        {
            root = root.Parent!;
        }

        var start = new ProcessStartInfo(Path.Combine(root.FullName, "scripts", "import-history"), [directory])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["CERVER_URL"] = gateway.Address.ToString().TrimEnd('/');
        start.Environment["CERVER_API_TOKEN"] = Token;
        using var script = Process.Start(start)!;
        var (output, error) = (script.StandardOutput.ReadToEndAsync(), script.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await script.WaitForExitAsync(limit.Token);
        return (script.ExitCode, await output, await error);
    }
}
