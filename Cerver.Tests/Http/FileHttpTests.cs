using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using static Cerver.Tests.Http.GatewayFixture;

namespace Cerver.Tests.Http;

[Collection(nameof(GatewayFixture))]
public sealed class FileHttpTests(GatewayFixture gateway)
{
    private const int MaxBytes = 64 * 1_024 * 1_024;

    [Fact]
    public async Task A_file_goes_to_a_sandbox_and_back_and_a_run_sees_it()
    {
        var id = await gateway.CreateAsync();

        using var created = await PutAsync(id, "src/main.py", "print('hi')\n"u8.ToArray());
        using var replaced = await PutAsync(id, "src/main.py", "print('ho')\n"u8.ToArray());
        var printed = await RunAsync(id, "python3 src/main.py; echo more >> src/main.py");
        using var read = await GetAsync(id, "src/main.py");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (created.StatusCode, replaced.StatusCode));
        Assert.Equal("""{"path":"src/main.py","size":12}""", await created.Content.ReadAsStringAsync());
        Assert.Equal("ho\n", printed);
        Assert.Equal("print('ho')\nmore\n", await read.Content.ReadAsStringAsync());
        Assert.Equal(("application/octet-stream", 17L), (read.Content.Headers.ContentType!.ToString(), read.Content.Headers.ContentLength));
        Assert.Equal(("attachment", "nosniff"), (read.Content.Headers.ContentDisposition!.ToString(), read.Headers.GetValues("X-Content-Type-Options").Single()));
        Assert.NotNull(read.Content.Headers.LastModified);
    }

    [Fact]
    public async Task Sixty_four_mebibytes_are_taken_byte_for_byte_and_one_byte_more_is_not()
    {
        var id = await gateway.CreateAsync();
        var seed = 7;

        using var sent = await gateway.Client.PutAsync(At(id, "big"), new MadeContent(MaxBytes, seed, isMeasured: true));
        var seen = await RunAsync(id, "sha256sum < big; stat -c %s big");
        using var read = await gateway.Client.GetAsync(At(id, "big"), HttpCompletionOption.ResponseHeadersRead);
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(await read.Content.ReadAsStreamAsync()));
        using var measured = await gateway.Client.PutAsync(At(id, "big"), new MadeContent(MaxBytes + 1, seed, isMeasured: true));
        using var unmeasured = await gateway.Client.PutAsync(At(id, "other"), new MadeContent(MaxBytes + 1, seed, isMeasured: false));

        Assert.Equal(HttpStatusCode.Created, sent.StatusCode);
        Assert.Equal(MadeContent.HashOf(MaxBytes, seed), hash);
        Assert.Equal($"{hash}  -\n{MaxBytes}\n", seen);
        foreach (var refused in (HttpResponseMessage[])[measured, unmeasured])
        {
            var refusal = await JsonAsync(refused);
            Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "payload_too_large"), (refused.StatusCode, Text(refusal, "code")));
            Assert.Contains($"{MaxBytes}", Text(refusal, "error"), StringComparison.Ordinal);
        }

        Assert.Equal($"{hash}  -\nbig\n", await RunAsync(id, "sha256sum < big; ls -A"));
    }

    [Fact]
    public async Task A_file_beyond_the_limit_is_read_in_ranges_and_not_as_a_whole()
    {
        var id = await gateway.CreateAsync();
        await RunAsync(id, $"truncate -s 5G sparse; printf abcdefghij | dd of=sparse bs=1M oflag=seek_bytes seek={4_000_000_000} conv=notrunc 2>/dev/null");

        using var whole = await GetAsync(id, "sparse");
        using var part = await GetAsync(id, "sparse", "bytes=4000000002-4000000005");
        using var rest = await GetAsync(id, "sparse", "bytes=10-");
        using var end = await GetAsync(id, "sparse", "bytes=-3");
        using var beyond = await GetAsync(id, "sparse", "bytes=5368709120-");
        using var several = await GetAsync(id, "sparse", "bytes=0-1,5-6");

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.RequestEntityTooLarge), (whole.StatusCode, rest.StatusCode));
        Assert.Contains("Range", Text(await JsonAsync(whole), "error"), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.PartialContent, "cdef"), (part.StatusCode, await part.Content.ReadAsStringAsync()));
        Assert.Equal("bytes 4000000002-4000000005/5368709120", part.Content.Headers.ContentRange!.ToString());
        Assert.Equal("\0\0\0", await end.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.RequestedRangeNotSatisfiable, "bytes */5368709120"), (beyond.StatusCode, beyond.Content.Headers.ContentRange!.ToString()));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, several.StatusCode);
    }

    [Fact]
    public async Task A_range_that_completes_an_older_file_gets_the_whole_of_the_newer_one()
    {
        var id = await gateway.CreateAsync();
        using var one = await PutAsync(id, "file", "0123456789"u8.ToArray());
        using var first = await GetAsync(id, "file", "bytes=0-4");
        var tag = first.Headers.ETag!.ToString();

        using var same = await GetAsync(id, "file", "bytes=5-", tag);
        using var other = await PutAsync(id, "file", "abcdefghij"u8.ToArray());
        using var newer = await GetAsync(id, "file", "bytes=5-", tag);

        Assert.Equal("01234", await first.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.PartialContent, "56789"), (same.StatusCode, await same.Content.ReadAsStringAsync()));
        Assert.Equal((HttpStatusCode.OK, "abcdefghij"), (newer.StatusCode, await newer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Directories_are_listed_at_the_root_and_below_in_pages()
    {
        var id = await gateway.CreateAsync();
        await RunAsync(id, """mkdir -p d/sub; cd d; printf 123 > file; ln -s /etc/passwd link; mkfifo pipe; printf 1 > $'\xff'; touch 'grüezi %2F+ #?'""");

        var root = await gateway.GetAsync($"/v2/sessions/{id}/files");
        var first = await gateway.GetAsync($"/v2/sessions/{id}/files/d?limit=4");
        var second = await gateway.GetAsync($"/v2/sessions/{id}/files/d?limit=4&cursor={Text(first, "next_cursor")}");

        Assert.Equal("directory d  ", string.Join(' ', Entries(root)));
        Assert.Equal(("", "d"), (Text(root, "path"), Text(first, "path")));
        Assert.Equal(["file file 3 ", "file grüezi %2F+ #? 0 ", "symlink link  ", "other pipe  "], Entries(first));
        Assert.Equal(["directory sub  ", "file \uFFFD 1 /w=="], Entries(second));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next_cursor").ValueKind);
        using var removed = await gateway.Client.DeleteAsync(At(id, "d?recursive=1"));
        Assert.Equal("", await RunAsync(id, "ls -A"));
        Assert.True(root.GetProperty("entries")[0].GetProperty("modified_at").GetDateTimeOffset() > DateTimeOffset.UnixEpoch.AddYears(50));

        static IEnumerable<string> Entries(JsonElement listing) => listing.GetProperty("entries").EnumerateArray().Select(static entry =>
            $"{Text(entry, "type")} {Text(entry, "name")} {entry.GetProperty("size")} {(entry.TryGetProperty("name_base64", out var bytes) ? bytes.GetString() : "")}");
    }

    [Theory]
    [InlineData("gr%C3%BCezi%20%E2%82%AC", "grüezi €")]
    [InlineData("100%25", "100%")]
    [InlineData("a%252Fb", "a%2Fb")]
    [InlineData("a+b%23c%3Fd", "a+b#c?d")]
    [InlineData("...", "...")]
    [InlineData("-rf", "-rf")]
    public async Task Names_are_decoded_once(string address, string name)
    {
        var id = await gateway.CreateAsync();

        var (status, _) = await RawAsync("PUT", $"/v2/sessions/{id}/files/{address}", "content");
        var seen = await RunAsync(id, "find . -mindepth 1 -printf '%f\\n'");

        Assert.Equal((201, $"{name}\n"), (status, seen));
    }

    [Fact]
    public async Task A_name_that_is_no_text_and_one_with_an_encoded_slash_are_found()
    {
        var id = await gateway.CreateAsync();

        var (bytes, _) = await RawAsync("PUT", $"/v2/sessions/{id}/files/%ff%fe", "bytes");
        var (slash, _) = await RawAsync("PUT", $"/v2/sessions/{id}/files/d%2Ffile", "slash");
        var (whole, text) = await RawAsync("GET", $"http://example.com/v2/sessions/{id}/files/%FF%FE?limit=1");

        Assert.Equal((201, 201, 200), (bytes, slash, whole));
        Assert.EndsWith("\r\n\r\nbytes", text, StringComparison.Ordinal);
        Assert.Equal("bytesslash", await RunAsync(id, "cat $'\\xff\\xfe' d/file"));
        Assert.Equal(200, (await RawAsync("DELETE", $"/v2/sessions/{id}/files/%ff%fe")).Status);
        Assert.Equal("d\n", await RunAsync(id, "ls -A"));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("%2e%2E")]
    [InlineData(".%2e/.%2e/files")]
    [InlineData("a/../b")]
    [InlineData("./a")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("%2Fetc%2Fpasswd")]
    [InlineData("a%2F..%2F..%2F..%2Fetc%2Fpasswd")]
    [InlineData("%zz")]
    [InlineData("a%2")]
    public async Task An_address_that_could_lead_anywhere_else_is_refused_for_every_method(string path)
    {
        var id = await gateway.CreateAsync();

        foreach (var method in (string[])["GET", "PUT", "DELETE"])
        {
            var (status, text) = await RawAsync(method, $"/v2/sessions/{id}/files/{path}", method == "PUT" ? "x" : null);
            Assert.Equal((method, 400), (method, status));
            Assert.Contains("\"code\":\"invalid_request\"", text, StringComparison.Ordinal);
            Assert.Contains("\"field\":\"path\"", text, StringComparison.Ordinal);
        }

        Assert.Equal("running", Text(await gateway.GetAsync($"/v2/sessions/{id}"), "status"));
        Assert.Equal("", await RunAsync(id, "ls -A"));
    }

    [Fact]
    public async Task A_path_with_a_zero_byte_is_refused()
    {
        var id = await gateway.CreateAsync();

        Assert.Equal(400, (await RawAsync("PUT", $"/v2/sessions/{id}/files/a%00b", "x")).Status);
        Assert.Equal("", await RunAsync(id, "ls -A"));
    }

    [Fact]
    public async Task Links_pipes_and_what_is_not_there_are_refused_in_words()
    {
        var id = await gateway.CreateAsync();
        await RunAsync(id, "ln -s /etc/passwd link; ln -s /etc dir; mkfifo pipe; mkdir full; touch full/file");

        Assert.Equal((HttpStatusCode.Conflict, "conflict"), await RefusalAsync(HttpMethod.Get, id, "link"));
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), await RefusalAsync(HttpMethod.Get, id, "dir/passwd"));
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), await RefusalAsync(HttpMethod.Put, id, "dir/passwd"));
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), await RefusalAsync(HttpMethod.Delete, id, "dir/passwd"));
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), await RefusalAsync(HttpMethod.Get, id, "pipe"));
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), await RefusalAsync(HttpMethod.Put, id, "full"));
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), await RefusalAsync(HttpMethod.Delete, id, "full"));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusalAsync(HttpMethod.Get, id, "nothing"));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), await RefusalAsync(HttpMethod.Put, id, ""));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), await RefusalAsync(HttpMethod.Delete, id, ""));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), await RefusalAsync(HttpMethod.Get, id, "full?cursor=*"));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), await RefusalAsync(HttpMethod.Get, id, "full?limit=1001"));
    }

    [Fact]
    public async Task Files_and_directories_are_removed_and_repeating_it_is_fine()
    {
        var id = await gateway.CreateAsync();
        await RunAsync(id, "mkdir -p d/e; touch file d/e/f; ln -s / d/link");

        foreach (var path in (string[])["file", "file", "d?recursive=true", "d?recursive=1"])
        {
            using var deleted = await gateway.Client.DeleteAsync(At(id, path));
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
            Assert.True((await JsonAsync(deleted)).GetProperty("ok").GetBoolean());
        }

        Assert.Equal("", await RunAsync(id, "ls -A"));
    }

    [Fact]
    public async Task Another_accounts_session_is_one_that_is_not_there()
    {
        var id = await gateway.CreateAsync();
        using var sent = await PutAsync(id, "file", "x"u8.ToArray());

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete])
        {
            Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusalAsync(method, id, "file", gateway.Other));
            Assert.Equal((HttpStatusCode.Unauthorized, "unauthorized"), await RefusalAsync(method, id, "file", gateway.Stranger));
        }

        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusalAsync(HttpMethod.Get, id, "", gateway.Other));
        Assert.Equal("x", await RunAsync(id, "cat file"));
    }

    [Fact]
    public async Task Files_are_there_while_the_sandbox_is_down_which_they_leave_down()
    {
        var id = await gateway.CreateAsync();
        using (await gateway.Client.PostAsync(new Uri($"/v2/sessions/{id}/pause", UriKind.Relative), content: null))
        {
        }

        var before = await gateway.GetAsync($"/v2/sessions/{id}");
        using var sent = await PutAsync(id, "a/b", "sent"u8.ToArray());
        using var read = await GetAsync(id, "a/b");
        var after = await gateway.GetAsync($"/v2/sessions/{id}");

        Assert.Equal((HttpStatusCode.Created, "sent"), (sent.StatusCode, await read.Content.ReadAsStringAsync()));
        Assert.Equal(("idle", "idle"), (Text(before, "status"), Text(after, "status")));

        // The files are kept for the retention after the last activity, and this was one.
        Assert.True(after.GetProperty("updatedAt").GetDateTimeOffset() > before.GetProperty("updatedAt").GetDateTimeOffset());
        Assert.Equal("sent", await RunAsync(id, "cat a/b && rm -r a"));
    }

    [Fact]
    public async Task A_session_that_ended_and_one_without_a_sandbox_have_no_files()
    {
        var transcript = await gateway.CreateTranscriptAsync();
        var ended = await gateway.CreateAsync();
        using (await gateway.Client.DeleteAsync(new Uri($"/v2/sessions/{ended}", UriKind.Relative)))
        {
        }

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete])
        {
            Assert.Equal((HttpStatusCode.Conflict, "no_compute"), await RefusalAsync(method, transcript, "file"));
            Assert.Equal((HttpStatusCode.Conflict, "session_ended"), await RefusalAsync(method, ended, "file"));
        }
    }

    [Fact]
    public async Task A_file_that_is_sent_only_in_part_changes_nothing_and_leaves_nothing()
    {
        var id = await gateway.CreateAsync();
        using var whole = await PutAsync(id, "file", "whole"u8.ToArray());
        var uploads = Path.Combine(gateway.DataDirectory, "sandboxes", "uploads");

        using (var client = new TcpClient())
        {
            await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"PUT /v2/sessions/{id}/files/file HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Token}\r\nContent-Length: 1000000\r\n\r\n{new string('x', 600_000)}"));
            await UntilAsync(() => Directory.EnumerateFiles(uploads).Any(static path => new FileInfo(path).Length > 0));
            Assert.Equal("whole", await RunAsync(id, "cat file; ls -A | grep -v '^file$'"));
        }

        await UntilAsync(() => !Directory.EnumerateFiles(uploads).Any());
        Assert.Equal("whole", await RunAsync(id, "cat file; ls -A | grep -v '^file$'"));
    }

    [Fact]
    public async Task Files_that_are_sent_to_the_same_place_at_once_are_one_of_them_as_a_whole()
    {
        var id = await gateway.CreateAsync();

        var sent = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            using var response = await gateway.Client.PutAsync(At(id, "d/file"), new MadeContent(1_500_000, i, isMeasured: i % 2 == 0));
            return response.StatusCode;
        }));
        using var read = await GetAsync(id, "d/file");

        Assert.All(sent, static status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Created));
        var hash = Convert.ToHexStringLower(SHA256.HashData(await read.Content.ReadAsByteArrayAsync()));
        Assert.Contains(hash, Enumerable.Range(0, 8).Select(static i => MadeContent.HashOf(1_500_000, i)));
    }

    private static Uri At(string id, string path) => new($"/v2/sessions/{id}/files/{path}", UriKind.Relative);

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    /// <summary>Waits for what another thread of the gateway is about to do.</summary>
    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private async Task<HttpResponseMessage> PutAsync(string id, string path, byte[] content) => await gateway.Client.PutAsync(At(id, path), new ByteArrayContent(content));

    private async Task<HttpResponseMessage> GetAsync(string id, string path, string? range = null, string? ifRange = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At(id, path));
        if (range is not null)
        {
            request.Headers.Range = RangeHeaderValue.Parse(range);
        }

        if (ifRange is not null)
        {
            request.Headers.IfRange = RangeConditionHeaderValue.Parse(ifRange);
        }

        return await gateway.Client.SendAsync(request);
    }

    private async Task<(HttpStatusCode Status, string? Code)> RefusalAsync(HttpMethod method, string id, string path, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(method, At(id, path)) { Content = method == HttpMethod.Put ? new ByteArrayContent("x"u8.ToArray()) : null };
        using var response = await (client ?? gateway.Client).SendAsync(request);
        var refusal = await JsonAsync(response);
        Assert.NotEmpty(Text(refusal, "error")!);
        return (response.StatusCode, Text(refusal, "code"));
    }

    private async Task<string> RunAsync(string id, string code)
    {
        using var ran = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/run", new { code });
        Assert.True(ran.StatusCode == HttpStatusCode.OK, await ran.Content.ReadAsStringAsync());
        return Text((await JsonAsync(ran)).GetProperty("result"), "stdout")!;
    }

    /// <summary>Sends an address as it is, which the client of the framework does not.</summary>
    private async Task<(int Status, string Text)> RawAsync(string method, string target, string? body = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
        var head = $"{method} {target} HTTP/1.1\r\nHost: example.com\r\nAuthorization: Bearer {Token}\r\nConnection: close\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(body is null ? $"{head}\r\n" : $"{head}Content-Length: {body.Length}\r\n\r\n{body}"));
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        var text = await reader.ReadToEndAsync();
        return (int.Parse(text.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), text);
    }

    /// <summary>A body that is made while it is sent, of bytes that look random and are the same each time.</summary>
    private sealed class MadeContent(long size, int seed, bool isMeasured) : HttpContent
    {
        private const int PartBytes = 64 * 1_024;

        public static string HashOf(long size, int seed)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var part in Parts(size, seed))
            {
                hash.AppendData(part.Span);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (var part in Parts(size, seed))
            {
                await stream.WriteAsync(part);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = size;
            return isMeasured;
        }

        private static IEnumerable<ReadOnlyMemory<byte>> Parts(long size, int seed)
        {
            var random = new Random(seed);
            for (var left = size; left > 0; left -= PartBytes)
            {
                var part = new byte[Math.Min(left, PartBytes)];
                random.NextBytes(part);
                yield return part;
            }
        }
    }
}
