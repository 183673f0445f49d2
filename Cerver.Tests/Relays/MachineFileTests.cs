using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Cerver.Tests.Silo;

namespace Cerver.Tests.Relays;

/// <summary>Files of sandboxes on a machine that our own relay lends, over a real line to a real gateway, which has sandboxes of its own beside them.</summary>
public sealed class MachineFileTests : IAsyncLifetime
{
    private const int MaxBytes = 24 * 1024 * 1024;

    private readonly string _data = Directory.CreateTempSubdirectory("cerver-relay-").FullName;
    private GatewayProcess _gateway = null!;
    private BreakableLine _line = null!;
    private string _gatewayData = null!;
    private string _token = null!;

    private HttpClient Client => _gateway.Client;

    private string Uploads => Path.Combine(_data, "sandboxes", "uploads");

    public async Task InitializeAsync()
    {
        _gatewayData = Directory.CreateTempSubdirectory("cerver-relay-gateway-").FullName;
        _gateway = await GatewayProcess.StartAsync(_gatewayData, $"--Cerver:Compute:Local:MaxTransferBytes={MaxBytes}");
        _line = BreakableLine.Begin(_gateway.Client.BaseAddress!);
        _token = (await File.ReadAllTextAsync(Path.Combine(_gatewayData, "token"))).Trim();
    }

    public async Task DisposeAsync()
    {
        await _line.DisposeAsync();
        await _gateway.DisposeAsync();
        Directory.Delete(_gatewayData, recursive: true);
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_large_file_goes_there_and_back_byte_for_byte_whole_and_in_ranges_and_a_run_sees_it()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        var bytes = RandomNumberGenerator.GetBytes(20 * 1024 * 1024);

        using var created = await PutAsync(session, "src/deep/big", bytes);
        using var whole = await GetAsync(session, "src/deep/big");
        using var range = await GetAsync(session, "src/deep/big", new RangeHeaderValue(1_000_000, 2_500_000));
        using var end = await GetAsync(session, "src/deep/big", new RangeHeaderValue(from: null, to: 3));
        using var beyond = await GetAsync(session, "src/deep/big", new RangeHeaderValue(bytes.Length, to: null));
        var seen = await RunAsync(session, "sha256sum < src/deep/big; stat -c '%U %a' src/deep/big; echo more >> src/deep/big");
        using var replaced = await PutAsync(session, "src/deep/big", "small"u8.ToArray());

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (created.StatusCode, replaced.StatusCode));
        Assert.Equal($$"""{"path":"src/deep/big","size":{{bytes.Length}}}""", await created.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.OK, bytes.Length), (whole.StatusCode, whole.Content.Headers.ContentLength));
        Assert.True((await whole.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(bytes));
        Assert.Equal((HttpStatusCode.PartialContent, $"bytes 1000000-2500000/{bytes.Length}"), (range.StatusCode, range.Content.Headers.ContentRange!.ToString()));
        Assert.True((await range.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(bytes.AsSpan(1_000_000, 1_500_001)));
        Assert.Equal(bytes[^3..], await end.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        Assert.Equal($"{Convert.ToHexStringLower(SHA256.HashData(bytes))}  -", seen.Split('\n')[0]);
        Assert.EndsWith(" 644\n", seen, StringComparison.Ordinal);
        Assert.Equal("small", await RunAsync(session, "cat src/deep/big"));
        Assert.NotNull(whole.Headers.ETag);
        Assert.NotNull(whole.Content.Headers.LastModified);
        Assert.Empty(Directory.GetFiles(Uploads));
    }

    [Fact]
    public async Task A_part_fits_into_a_frame_whatever_bytes_it_has()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));

        // In base64 these are nothing but '+', which JSON may have as six characters.
        var pluses = new byte[3 * 512 * 1024];
        for (var i = 0; i < pluses.Length; i++)
        {
            pluses[i] = (byte)(0xfb_ef_be >> (16 - (8 * (i % 3))));
        }

        using var sent = await PutAsync(session, "pluses", pluses);
        using var read = await GetAsync(session, "pluses");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (sent.StatusCode, read.StatusCode));
        Assert.True((await read.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(pluses));
        Assert.DoesNotContain("line is down", relay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_range_that_completes_an_older_file_gets_the_whole_of_the_newer_one()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using var one = await PutAsync(session, "file", "0123456789"u8.ToArray());
        using var first = await GetAsync(session, "file", new RangeHeaderValue(0, 4));
        var tag = new RangeConditionHeaderValue(first.Headers.ETag!);

        using var same = await GetAsync(session, "file", new RangeHeaderValue(5, to: null), tag);
        using var other = await PutAsync(session, "file", "abcdefghij"u8.ToArray());
        using var newer = await GetAsync(session, "file", new RangeHeaderValue(5, to: null), tag);

        Assert.Equal((HttpStatusCode.PartialContent, "56789"), (same.StatusCode, await same.Content.ReadAsStringAsync()));
        Assert.Equal((HttpStatusCode.OK, "abcdefghij"), (newer.StatusCode, await newer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Directories_are_listed_in_pages_and_removed_with_all_that_is_in_them()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        await RunAsync(session, """mkdir -p d/sub; cd d; printf 123 > file; ln -s /etc/passwd link; mkfifo pipe; printf 1 > $'\xff'; touch 'grüezi %2F+ #?'""");

        var root = await ListAsync(session, "");
        var first = await ListAsync(session, "/d?limit=4");
        var second = await ListAsync(session, $"/d?limit=4&cursor={first.GetProperty("next_cursor").GetString()}");
        using var refused = await Client.DeleteAsync(At(session, "d"));
        using var removed = await Client.DeleteAsync(At(session, "d?recursive=true"));
        using var again = await Client.DeleteAsync(At(session, "d?recursive=true"));

        Assert.Equal(["directory d  "], EntriesOf(root));
        Assert.Equal(["file file 3 ", "file grüezi %2F+ #? 0 ", "symlink link  ", "other pipe  "], EntriesOf(first));
        Assert.Equal(["directory sub  ", "file \uFFFD 1 /w=="], EntriesOf(second));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next_cursor").ValueKind);
        Assert.True(root.GetProperty("entries")[0].GetProperty("modified_at").GetDateTimeOffset() > DateTimeOffset.UnixEpoch.AddYears(50));
        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.OK, HttpStatusCode.OK), (refused.StatusCode, removed.StatusCode, again.StatusCode));
        Assert.Equal("", await RunAsync(session, "ls -A"));
    }

    [Fact]
    public async Task A_directory_of_as_many_entries_as_a_page_has_fits_into_a_frame_however_long_their_names_are()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        await RunAsync(session, "long=$(printf 'x%.0s' {1..250}); for i in $(seq 1000 1999); do : > $i$long; done");

        var listed = await ListAsync(session, "");

        Assert.Equal(1_000, listed.GetProperty("entries").GetArrayLength());
        Assert.Equal(254, listed.GetProperty("entries")[999].GetProperty("name").GetString()!.Length);
        Assert.Equal(JsonValueKind.Null, listed.GetProperty("next_cursor").ValueKind);
    }

    [Fact]
    public async Task What_is_refused_on_the_gateways_own_machine_is_refused_there_in_the_same_words()
    {
        await using var relay = Launch();
        string[] sessions = [await CreateAsync("local"), await CreateAsync(await RelayProcess.ReadyAsync(Client))];
        foreach (var session in sessions)
        {
            await RunAsync(session, $"ln -s /etc/passwd link; ln -s /etc dir; mkfifo pipe; mkdir -p full/empty; touch full/file; truncate -s {MaxBytes + 1} large");
        }

        (HttpMethod Method, string Path, HttpStatusCode Status, string Code)[] refusals =
        [
            (HttpMethod.Get, "nothing", HttpStatusCode.NotFound, "not_found"),
            (HttpMethod.Get, "nothing/below", HttpStatusCode.NotFound, "not_found"),
            (HttpMethod.Get, "full/file/below", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Get, "link", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Get, "dir/passwd", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Get, "pipe", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Get, "large", HttpStatusCode.RequestEntityTooLarge, "payload_too_large"),
            (HttpMethod.Get, "full%2F..%2F..%2Ffile", HttpStatusCode.BadRequest, "invalid_request"),
            (HttpMethod.Get, new string('n', 256), HttpStatusCode.BadRequest, "invalid_request"),
            (HttpMethod.Get, "full?cursor=*", HttpStatusCode.BadRequest, "invalid_request"),
            (HttpMethod.Put, "full", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Put, "full/file/below", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Put, "dir/passwd", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Put, "full%2F..%2Ffile", HttpStatusCode.BadRequest, "invalid_request"),
            (HttpMethod.Put, new string('n', 256), HttpStatusCode.BadRequest, "invalid_request"),
            (HttpMethod.Put, "", HttpStatusCode.BadRequest, "invalid_request"),
            (HttpMethod.Delete, "full", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Delete, "dir/passwd", HttpStatusCode.Conflict, "conflict"),
            (HttpMethod.Delete, "full%2F..%2Ffile", HttpStatusCode.BadRequest, "invalid_request"),
            (HttpMethod.Delete, "", HttpStatusCode.BadRequest, "invalid_request"),
        ];

        foreach (var (method, path, status, code) in refusals)
        {
            var (local, there) = (await RefusalAsync(method, sessions[0], path), await RefusalAsync(method, sessions[1], path));
            Assert.Equal((method, path, status), (method, path, there.Status));
            Assert.Contains($"\"code\":\"{code}\"", there.Body, StringComparison.Ordinal);
            Assert.Equal(local, there);
        }

        foreach (var isMeasured in (bool[])[true, false])
        {
            var (local, there) = (await TooLargeAsync(sessions[0], isMeasured), await TooLargeAsync(sessions[1], isMeasured));
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, there.Status);
            Assert.Equal(local, there);
        }

        Assert.Equal("dir full large link pipe", (await RunAsync(sessions[1], "ls -A")).ReplaceLineEndings(" ").TrimEnd());
        Assert.Empty(Directory.GetFiles(Uploads));
    }

    [Fact]
    public async Task Files_are_there_while_the_sandbox_is_down_which_they_leave_down()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using (await Client.PostAsync(new Uri($"/v2/sessions/{session}/pause", UriKind.Relative), content: null))
        {
        }

        using var sent = await PutAsync(session, "a/b", "sent"u8.ToArray());
        var read = await Client.GetStringAsync(At(session, "a/b"));

        Assert.Equal((HttpStatusCode.Created, "sent"), (sent.StatusCode, read));
        Assert.Equal("idle", (await Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}")).GetProperty("status").GetString());
        Assert.Equal("sent", await RunAsync(session, "cat a/b && rm -r a"));
    }

    [Fact]
    public async Task The_machine_says_that_it_has_files_and_which_limits_its_sandboxes_have()
    {
        await using var relay = Launch();
        var machine = await RelayProcess.ReadyAsync(Client);

        var there = await CapabilitiesAsync(machine);
        var local = await CapabilitiesAsync("provider_local");
        var session = await _gateway.CreateAsync(new { compute = machine, requirements = new { capabilities = (string[])["files", "reattach"] } });

        Assert.True(there.GetProperty("files").GetBoolean());
        Assert.Equal(local.GetProperty("limits").GetRawText(), there.GetProperty("limits").GetRawText());
        Assert.NotEqual("none", there.GetProperty("limits").GetProperty("memory_bytes").GetProperty("held_by").GetString());
        Assert.Equal("", await RunAsync(session, "ls -A"));
    }

    [Fact]
    public async Task A_relay_that_does_not_know_files_is_told_of_and_asked_for_none()
    {
        await using var relay = Launch();
        var machine = await RelayProcess.ReadyAsync(Client);
        var session = await CreateAsync(machine);

        // As one of an older version says it.
        using var beaten = await Client.PostAsJsonAsync($"/v2/computes/{machine}/heartbeat", new { status = "online", capabilities = new { cerver_runs = 1, runtimes = (string[])["shell"] } });
        Assert.True(beaten.IsSuccessStatusCode);

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete])
        {
            var (status, body) = await RefusalAsync(method, session, "file");
            Assert.Equal((method, HttpStatusCode.Conflict), (method, status));
            Assert.Contains("\"code\":\"no_compute\"", body, StringComparison.Ordinal);
            Assert.Contains("cerver-relay", body, StringComparison.Ordinal);
        }

        Assert.False((await CapabilitiesAsync(machine)).GetProperty("files").GetBoolean());
    }

    [Fact]
    public async Task While_the_machine_is_away_every_call_says_so_and_afterwards_the_files_are_there()
    {
        string session;
        await using (var relay = Launch())
        {
            session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
            using var sent = await PutAsync(session, "file", "kept"u8.ToArray());
            Assert.True(sent.IsSuccessStatusCode);
        }

        await RelayProcess.ReadyAsync(Client, isReady: false);

        foreach (var (method, path) in (IEnumerable<(HttpMethod, string)>)[(HttpMethod.Get, "file"), (HttpMethod.Get, ""), (HttpMethod.Put, "other"), (HttpMethod.Delete, "file")])
        {
            var (status, body) = await RefusalAsync(method, session, path);
            Assert.Equal((method, HttpStatusCode.ServiceUnavailable), (method, status));
            Assert.Contains("\"code\":\"compute_offline\"", body, StringComparison.Ordinal);
        }

        await using var again = Launch();
        await RelayProcess.ReadyAsync(Client);
        Assert.Equal("kept", await Client.GetStringAsync(At(session, "file")));
        Assert.Equal(["file file 4 "], EntriesOf(await ListAsync(session, "")));
    }

    [Fact]
    public async Task A_relay_that_dies_in_the_middle_of_an_upload_leaves_nothing_and_the_next_upload_works()
    {
        string session;
        using var body = new HeldContent(2_000_000);
        Task<HttpResponseMessage> sending;
        await using (var relay = Launch())
        {
            session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
            using var kept = await PutAsync(session, "file", "kept"u8.ToArray());
            sending = Client.PutAsync(At(session, "file"), body);
            await UntilAsync(() => Directory.GetFiles(Uploads) is [var path] && new FileInfo(path).Length > 0);
            await relay.KillAsync();
        }

        await RelayProcess.ReadyAsync(Client, isReady: false);
        body.GoOn();
        using var refused = await sending;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotEmpty(Directory.GetFiles(Uploads));

        await using var again = Launch();
        await RelayProcess.ReadyAsync(Client);
        Assert.False(Directory.Exists(Uploads));
        Assert.Equal("kept", await Client.GetStringAsync(At(session, "file")));
        using var next = await PutAsync(session, "file", "next"u8.ToArray());
        Assert.Equal("next\nfile\n", await RunAsync(session, "cat file; echo; ls -A"));
    }

    [Fact]
    public async Task However_often_the_line_drops_in_the_middle_of_an_upload_nothing_is_changed_and_the_next_one_works()
    {
        // More than may be sent to a sandbox at once.
        const int Drops = 10;
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using var kept = await PutAsync(session, "file", "kept"u8.ToArray());

        for (var drop = 0; drop < Drops; drop++)
        {
            using var body = new HeldContent(2_000_000);
            var sending = Client.PutAsync(At(session, "file"), body);
            await UntilAsync(() => Directory.GetFiles(Uploads) is [var path] && new FileInfo(path).Length > 0);
            _line.Break();
            await UntilAsync(() => Directory.GetFiles(Uploads).Length == 0);
            body.GoOn();
            using var refused = await sending;
            Assert.Contains(refused.StatusCode, (HttpStatusCode[])[HttpStatusCode.ServiceUnavailable, HttpStatusCode.Conflict]);

            // The gateway may not have heard yet that the line is down, and calls it ready.
            await UntilAsync(async () =>
            {
                using var read = await GetAsync(session, "file");
                return read.IsSuccessStatusCode;
            });
        }

        Assert.Equal("kept", await Client.GetStringAsync(At(session, "file")));
        using var next = await PutAsync(session, "file", "next"u8.ToArray());
        Assert.Equal("next\nfile\n", await RunAsync(session, "cat file; echo; ls -A"));
    }

    [Fact]
    public async Task A_body_that_does_not_come_to_its_end_leaves_nothing_there()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        using var hangsUp = new CancellationTokenSource();
        using var body = new HeldContent(2_000_000);

        var sending = Client.PutAsync(At(session, "file"), body, hangsUp.Token);
        await UntilAsync(() => Directory.Exists(Uploads) && Directory.GetFiles(Uploads) is [var path] && new FileInfo(path).Length > 0);
        await hangsUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);

        await UntilAsync(() => Directory.GetFiles(Uploads).Length == 0);
        Assert.Equal("", await RunAsync(session, "ls -A"));
    }

    [Fact]
    public async Task Files_that_are_sent_to_the_same_place_at_once_are_one_of_them_as_a_whole()
    {
        await using var relay = Launch();
        var session = await CreateAsync(await RelayProcess.ReadyAsync(Client));
        var files = Enumerable.Range(0, 8).Select(static _ => RandomNumberGenerator.GetBytes(1_500_000)).ToList();

        var sent = await Task.WhenAll(files.Select(async bytes =>
        {
            using var response = await PutAsync(session, "d/file", bytes);
            return response.StatusCode;
        }));
        var read = await Client.GetByteArrayAsync(At(session, "d/file"));

        Assert.All(sent, static status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Created));
        Assert.Contains(files, bytes => bytes.AsSpan().SequenceEqual(read));
        Assert.Equal("file\n", await RunAsync(session, "ls -A d"));
    }

    private static Uri At(string session, string path) => new($"/v2/sessions/{session}/files/{path}", UriKind.Relative);

    private static IEnumerable<string> EntriesOf(JsonElement listing) => listing.GetProperty("entries").EnumerateArray().Select(static entry =>
        $"{entry.GetProperty("type")} {entry.GetProperty("name")} {entry.GetProperty("size")} {(entry.TryGetProperty("name_base64", out var bytes) ? bytes.GetString() : "")}");

    private RelayProcess Launch() => RelayProcess.Launch(_line.Address, _token, _data, ("Cerver__Compute__Local__MaxTransferBytes", $"{MaxBytes}"));

    private Task<string> CreateAsync(string compute) => _gateway.CreateAsync(new { compute });

    private async Task<HttpResponseMessage> PutAsync(string session, string path, byte[] content) => await Client.PutAsync(At(session, path), new ByteArrayContent(content));

    private async Task<HttpResponseMessage> GetAsync(string session, string path, RangeHeaderValue? range = null, RangeConditionHeaderValue? ifRange = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At(session, path));
        request.Headers.Range = range;
        request.Headers.IfRange = ifRange;
        return await Client.SendAsync(request);
    }

    private Task<JsonElement> ListAsync(string session, string path) => Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}/files{path}");

    private async Task<JsonElement> CapabilitiesAsync(string computeId) => (await Client.GetFromJsonAsync<JsonElement>($"/v2/computes/{computeId}")).GetProperty("capabilities");

    private async Task<(HttpStatusCode Status, string Body)> RefusalAsync(HttpMethod method, string session, string path)
    {
        using var request = new HttpRequestMessage(method, At(session, path)) { Content = method == HttpMethod.Put ? new ByteArrayContent("x"u8.ToArray()) : null };
        using var response = await Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task<(HttpStatusCode Status, string Body)> TooLargeAsync(string session, bool isMeasured)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, At(session, "file")) { Content = new ByteArrayContent(new byte[MaxBytes + 1]) };
        request.Headers.TransferEncodingChunked = !isMeasured;
        request.Headers.ExpectContinue = true;
        using var response = await Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task<string> RunAsync(string session, string code)
    {
        using var response = await Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("result").GetProperty("stdout").GetString()!;
    }

    private static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var attempt = 0; !await isSo(); attempt++)
        {
            Assert.True(attempt < 600, "It did not become so within a minute.");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>A body whose second half waits.</summary>
    private sealed class HeldContent(int size) : HttpContent
    {
        private readonly TaskCompletionSource _goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Sends the rest.</summary>
        public void GoOn() => _goesOn.TrySetResult();

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var half = new byte[size / 2];
            await stream.WriteAsync(half, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await _goesOn.Task.WaitAsync(cancellationToken);
            await stream.WriteAsync(half, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = size;
            return true;
        }
    }
}
