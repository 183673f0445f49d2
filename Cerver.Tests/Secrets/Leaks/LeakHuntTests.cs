using System.Data.Common;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cerver.Tests.Http;
using Cerver.Tests.Secrets.Redaction;
using Cerver.Tests.Storage;
using Microsoft.Data.Sqlite;

namespace Cerver.Tests.Secrets.Leaks;

/// <summary>
/// Programs print what they were given in every way, callers write it everywhere, and then whatever the gateway wrote is searched for it.
/// </summary>
public sealed class LeakHuntTests : IDisposable
{
    /// <summary>Prints a variable in every way, and what it is by a sum from which nobody learns it.</summary>
    private const string PrintEverything = """
        import base64, hashlib, json, os, shlex, subprocess, sys, time, urllib.parse
        name = sys.argv[1] if len(sys.argv) > 1 else "NAME"
        value = os.environ[name]
        raw = value.encode()
        out = sys.stdout.buffer
        def say(data, end=b"\n"):
            out.write(data if isinstance(data, bytes) else data.encode())
            out.write(end)
            out.flush()
        say("sum " + hashlib.sha256(raw).hexdigest())
        say(value)
        print(value, file=sys.stderr, flush=True)
        for cut in range(1, len(raw)):
            say(raw[:cut], b"")
            if cut % 8 == 0: time.sleep(0.02)
            say(raw[cut:])
        for byte in raw:
            out.write(bytes([byte])); out.flush()
        say("")
        for before in range(3):
            say(base64.b64encode(b"x" * before + raw + b"y"))
            say(base64.urlsafe_b64encode(b"x" * before + raw))
        say(base64.encodebytes(b"some bytes before " + raw * 3))
        say(raw.hex()); say(raw.hex().upper()); say(raw.hex(" ")); say(raw.hex(":"))
        say(json.dumps(value)); say(json.dumps({"a": json.dumps(value)})); say(json.dumps(value[::-1])); say(json.dumps(value, ensure_ascii=False)); say(value[::-1])
        say(urllib.parse.quote(value)); say(urllib.parse.quote_plus(value)); say(urllib.parse.quote(value, safe=""))
        say(shlex.quote(value)); say(repr(value)); say(repr(raw))
        say("\n".join(f"{k}={v}" for k, v in os.environ.items()))
        subprocess.run(["bash", "-xc", f'a="${name}"; echo "$a" | xxd -p; echo "$a" | od -An -tx1; echo -n "$a" | base64 -w 19; printf "%q\\n" "$a"; declare -p a'], stderr=subprocess.STDOUT)
        say("done")
        """;

    private readonly string _injected = $"INJECTED_{Guid.NewGuid():n}";
    private readonly string _fetched = $"FETCHED_{Guid.NewGuid():n}";
    private readonly string _injectedValue = RandomSecrets.Any(new Random());
    private readonly string _fetchedValue = RandomSecrets.Any(new Random());
    private readonly StringBuilder _seen = new();

    public LeakHuntTests()
    {
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_injected}", _injectedValue);
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_fetched}", _fetchedValue);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_injected}", null);
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_fetched}", null);
    }

    [Theory]
    [InlineData(TestedDatabase.Sqlite)]
    [InlineData(TestedDatabase.Postgres)]
    public async Task No_form_of_a_value_is_written_anywhere(TestedDatabase tested)
    {
        using var telemetry = new TelemetryCapture();
        await using var gateway = await TestedGateway.StartAsync(
            tested, "--Cerver:Compute:Local:Enabled=true", "--Logging:LogLevel:Default=Trace", "--Logging:Console:LogLevel:Default=None");
        telemetry.ListenTo(gateway.Services, gateway.Address);
        using var client = gateway.NewClient();
        var (session, import) = await WriteEverywhereAsync(client);
        await ReadEverythingAsync(client, session, import);
        if (gateway.Database is null)
        {
            await SearchFilesAsync(gateway.DataPath);
        }

        await gateway.StopAsync();
        await SearchFilesAsync(gateway.DataPath);
        foreach (var connection in Connections(gateway))
        {
            await using (connection)
            {
                await foreach (var (table, text) in DatabaseText.ReadAsync(connection))
                {
                    Hunt($"the table {table}", text);
                }
            }
        }

        Hunt("logs, traces and metrics", telemetry.Text);
        Assert.Contains("/v2/secrets", telemetry.Text, StringComparison.Ordinal);
        Assert.Contains("http.server.request.duration", telemetry.Text, StringComparison.Ordinal);
    }

    private static IEnumerable<DbConnection> Connections(TestedGateway gateway) => gateway.Database is { } database
        ? [database.Source.CreateConnection()]
        : ((string[])["cerver.db", "orleans.db"]).Select(file => new SqliteConnection($"Data Source={Path.Combine(gateway.DataPath, file)};Mode=ReadOnly;Pooling=False"));

    private async Task<(string Session, string Import)> WriteEverywhereAsync(HttpClient client)
    {
        var created = await PostAsync(client, "/v2/sessions", new { secrets = new[] { _injected }, requirements = new { runtime = "python" } });
        var session = created.GetProperty("session_id").GetString()!;
        var watching = WatchAsync(client, $"/v2/sessions/{session}/stream", until: "\"status\":\"ended\"");
        using (var fetched = await client.GetAsync(new Uri($"/v2/secrets/{_fetched}?session_id={session}", UriKind.Relative)))
        {
            Assert.Equal(_fetchedValue, (await GatewayFixture.JsonAsync(fetched)).GetProperty("value").GetString());
        }

        // The program sees what nobody else does.
        await RunAsync(client, session, PrintEverything.Replace("\"NAME\"", $"\"{_injected}\"", StringComparison.Ordinal), _injectedValue, secrets: []);
        await RunAsync(client, session, PrintEverything.Replace("\"NAME\"", $"\"{_fetched}\"", StringComparison.Ordinal), _fetchedValue, secrets: [_fetched]);
        var literal = JsonSerializer.Serialize(_fetchedValue);
        await RunAsync(client, session, $"import hashlib; v = {literal}; print(v); print('sum', hashlib.sha256(v.encode()).hexdigest()); print('done')", _fetchedValue, secrets: []);

        foreach (var value in (string[])[_injectedValue, _fetchedValue])
        {
            foreach (var (shown, how) in RandomSecrets.Shown(value))
            {
                var entry = new { role = "assistant", kind = "tool_use", content = $"{how}: {shown}", tool_name = "say", tool_input = new { shown, deep = new[] { JsonSerializer.Serialize(new { shown }) } } };
                await PostAsync(client, $"/v2/sessions/{session}/transcript", new { entries = new[] { entry } });
            }

            for (var cut = 1; cut < value.Length; cut += 3)
            {
                if (!char.IsHighSurrogate(value[cut - 1]))
                {
                    await PostAsync(client, $"/v2/sessions/{session}/transcript", new
                    {
                        entries = new[] { new { role = "user", content = $"begins {value[..cut]}" }, new { role = "user", content = $"{value[cut..]} ends" } },
                    });
                }
            }

            await PostAsync(client, $"/v2/sessions/{session}/input", new { role = "user", content = $"use {value} please" }, idempotencyKey: Convert.ToBase64String(Encoding.UTF8.GetBytes(value)));
            await PostAsync(client, "/v2/sessions", new
            {
                session_type = "transcript",
                session_name = $"with {value}",
                task = value,
                workload = value,
                harness = value,
                metadata = new Dictionary<string, string> { ["note"] = value, ["source"] = value },
                requirements = new { note = value },
            });
        }

        using (var patched = await client.PatchAsJsonAsync($"/v2/sessions/{session}", new { session_name = _fetchedValue, metadata = new { secret = _injectedValue } }))
        {
            Assert.True(patched.IsSuccessStatusCode, await patched.Content.ReadAsStringAsync());
        }

        var file = string.Join('\n', RandomSecrets.Shown(_fetchedValue).Select(static shown => JsonSerializer.Serialize(new
        {
            type = "user",
            sessionId = "a",
            uuid = Guid.NewGuid(),
            timestamp = "2026-11-01T10:00:00Z",
            cwd = shown.Shown,
            message = new { role = "user", content = shown.Shown },
        })));
        using var content = new StringContent(file, Encoding.UTF8, "application/x-ndjson");
        using var imported = await client.PostAsync(new Uri("/v2/sessions/import", UriKind.Relative), content);
        var import = (await GatewayFixture.JsonAsync(imported)).GetProperty("session_id").GetString()!;
        using var ended = await client.DeleteAsync(new Uri($"/v2/sessions/{session}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        Hunt("the stream of the session", await watching);
        return (session, import);
    }

    private async Task ReadEverythingAsync(HttpClient client, string session, string import)
    {
        foreach (var path in (string[])[
            $"/v2/sessions/{session}/export?format=text", $"/v2/sessions/{session}/export?format=markdown", $"/v2/sessions/{session}/export?format=jsonl",
            $"/v2/sessions/{session}?full=1", $"/v2/sessions/{session}/runs", "/v2/sessions?limit=200", $"/v2/sessions/{import}/export?format=jsonl",
            "/v2/sessions/search?q=secret&limit=100", "/v2/secrets"])
        {
            var text = await client.GetStringAsync(new Uri(path, UriKind.Relative));
            Hunt(path, text);
            _seen.Append(text);
        }

        // Whoever looks for a value finds nothing, and is not written down either.
        foreach (var value in (string[])[_injectedValue, _fetchedValue])
        {
            using var found = await client.GetAsync(new Uri($"/v2/sessions/search?q={Uri.EscapeDataString($"\"{value.Replace('"', ' ')}\"")}", UriKind.Relative));
            Hunt("what was found", await found.Content.ReadAsStringAsync());
            using var listed = await client.GetAsync(new Uri($"/v2/sessions?q={Uri.EscapeDataString(value)}", UriKind.Relative));
            using var missing = await client.GetAsync(new Uri($"/v2/secrets/{Uri.EscapeDataString(value)}", UriKind.Relative));
            using var nothing = await client.GetAsync(new Uri($"/v2/{Uri.EscapeDataString(value)}", UriKind.Relative));
            Hunt("refusals", await missing.Content.ReadAsStringAsync() + await nothing.Content.ReadAsStringAsync());
        }

        Assert.Contains($"[secret:{_injected}]", _seen.ToString(), StringComparison.Ordinal);
        Assert.Contains($"[secret:{_fetched}]", _seen.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Runs a program that says what sum its value has, and looks at what is streamed of it and at what is kept.</summary>
    private async Task RunAsync(HttpClient client, string session, string code, string value, string[] secrets)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/run/stream") { Content = JsonContent.Create(new { code, secrets, timeout = 60 }) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var live = await response.Content.ReadAsStringAsync();
        Hunt("the stream of a run", live);
        var run = response.Headers.GetValues("Cerver-Run-Id").Single();
        var kept = await client.GetStringAsync(new Uri($"/v2/sessions/{session}/runs/{run}/stream", UriKind.Relative));
        Hunt("the stream of a run that is over", kept);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value))), live, StringComparison.Ordinal);
        Assert.Contains("done", live, StringComparison.Ordinal);
    }

    /// <summary>Reads a stream until something was said in it.</summary>
    private static async Task<string> WatchAsync(HttpClient client, string path, string until)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, limit.Token);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(limit.Token));
        var seen = new StringBuilder();
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            seen.AppendLine(line);
            if (line.Contains(until, StringComparison.Ordinal))
            {
                break;
            }
        }

        return seen.ToString();
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        using var response = await client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await GatewayFixture.JsonAsync(response);
    }

    private async Task SearchFilesAsync(string path)
    {
        foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories))
        {
            // Not opened by .NET, which respects the locks of the gateway.
            using var reading = Process.Start(new ProcessStartInfo("cat", [file]) { UseShellExecute = false, RedirectStandardOutput = true, StandardOutputEncoding = Encoding.Latin1 })!;
            Hunt(file, await reading.StandardOutput.ReadToEndAsync());
        }
    }

    /// <summary>Makes sure that no form of a value is in a text, which is text or bytes of one.</summary>
    private void Hunt(string where, string text)
    {
        foreach (var value in (string[])[_injectedValue, _fetchedValue])
        {
            foreach (var (form, how) in Needles(value))
            {
                Assert.False(text.Contains(form, StringComparison.Ordinal), $"{where} has a value, {how}: {form}");
                Assert.False(
                    text.Contains(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(form)), StringComparison.Ordinal), $"{where} has the bytes of a value, {how}: {form}");
            }
        }
    }

    /// <summary>What is looked for: each form without what is around it, and, of what answers carry it in, with its escapes and without.</summary>
    private static IEnumerable<(string Form, string How)> Needles(string value) => RandomSecrets.Shown(value)
        .Select(static shown => (Form: shown.How.StartsWith("base64", StringComparison.Ordinal) ? shown.Shown.TrimEnd('=')[12..^8] : shown.Shown.Trim('"', '\'', '\\'), shown.How))
        .SelectMany(static shown => (ReadOnlySpan<(string, string)>)[shown, (JsonSerializer.Serialize(shown.Form).Trim('"'), $"{shown.How}, in JSON")] is var both ? both.ToArray() : [])
        .Distinct();
}
