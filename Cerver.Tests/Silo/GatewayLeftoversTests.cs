using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Cerver.Tests.Silo;

/// <summary>
/// What a gateway does, as a process of its own, with sandboxes that were left: by users, and by a gateway that was killed.
/// </summary>
public sealed class GatewayLeftoversTests : IDisposable
{
    private const string Token = "test-token-of-the-first-account";

    private readonly string _root = Directory.CreateTempSubdirectory("cerver-left-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("data")]
    [InlineData("data-directory-with-a-name-that-is-so-long-that-no-socket-can-be-made-in-it-or-below-it")]
    public async Task What_a_killed_gateway_left_is_gone_when_the_next_one_is_up_and_what_a_session_has_is_not(string name)
    {
        var data = Path.Combine(_root, name);
        string sessionId;
        string orphan;
        string owned;
        using (var first = await Started.StartAsync(data))
        {
            sessionId = await first.CreateAsync(new { compute = "local" });
            Assert.Equal("", await first.RunAsync(sessionId, "echo kept > file"));
            owned = Directory.GetDirectories(Path.Combine(data, "sandboxes")).Single();
            orphan = Path.Combine(data, "sandboxes", Ids.NewSandbox(TimeProvider.System));
            Directory.CreateDirectory(Path.Combine(orphan, "some", "files"));
            Directory.CreateDirectory(Path.Combine(data, "sandboxes", $"{Ids.NewSandbox(TimeProvider.System)}.removed"));
            first.Kill();
        }

        var leftLock = Assert.Single(Directory.GetFiles(Path.Combine(data, "run")));
        var left = await File.ReadAllTextAsync(leftLock);
        Assert.True(Directory.Exists(left));

        using var second = await Started.StartAsync(data);

        Assert.False(Directory.Exists(left));
        Assert.NotEqual(leftLock, Assert.Single(Directory.GetFiles(Path.Combine(data, "run"))));
        Assert.False(Directory.Exists(orphan));
        await second.ErasedAsync(Path.Combine(data, "sandboxes"), left: 1);
        Assert.True(Directory.Exists(owned));
        Assert.Equal("idle", (await second.GetAsync($"/v2/sessions/{sessionId}")).GetProperty("status").GetString());
        Assert.Equal("kept\n", await second.RunAsync(sessionId, "cat file"));
    }

    [Fact]
    public async Task A_sandbox_that_nobody_uses_goes_down_with_its_programs_and_comes_back_with_its_files()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        using var gateway = await Started.StartAsync(Path.Combine(_root, "data"), "--Cerver:Compute:IdleTimeout=00:00:01");
        var sessionId = await gateway.CreateAsync(new { compute = "local", requirements = new { network = true } });

        // The connection is open as long as the program lives that the run leaves behind.
        await gateway.RunAsync(
            sessionId, $"echo kept > file; exec 3<>/dev/tcp/127.0.0.1/{((IPEndPoint)listener.LocalEndpoint).Port}; setsid sleep 1000 >/dev/null 2>&1 & disown");
        using var connection = await listener.AcceptTcpClientAsync();
        Assert.Equal(0, await connection.GetStream().ReadAsync(new byte[1]));

        using var resumed = await gateway.Client.PostAsync(new Uri($"/v2/sessions/{sessionId}/resume", UriKind.Relative), content: null);
        var entries = (await resumed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("transcriptTotal").GetInt64();
        Assert.Equal("kept\n", await gateway.RunAsync(sessionId, "cat file"));
        Assert.Equal(2, entries);
    }

    /// <summary>A gateway that listens.</summary>
    private sealed class Started : IDisposable
    {
        private readonly Process _process;

        private Started(Process process, HttpClient client)
        {
            _process = process;
            Client = client;
        }

        public HttpClient Client { get; }

        public static async Task<Started> StartAsync(string data, params string[] more)
        {
            string[] arguments =
            [
                Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll"), "--urls=http://127.0.0.1:0", $"--CERVER_DATA={data}", $"--CERVER_API_TOKEN={Token}", .. more,
            ];
            var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
            const string Up = "Cerver is up at ";
            string? line;
            do
            {
                line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The gateway ended early.");
            }
            while (!line.StartsWith(Up, StringComparison.Ordinal));

            // A pipe that nobody reads would stop it.
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            return new(process, new HttpClient
            {
                BaseAddress = new Uri(line[Up.Length..]),
                DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Token) },
            });
        }

        public async Task<string> CreateAsync(object body)
        {
            using var created = await Client.PostAsJsonAsync("/v2/sessions", body);
            return (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;
        }

        public async Task<string> RunAsync(string sessionId, string code)
        {
            using var ran = await Client.PostAsJsonAsync($"/v2/sessions/{sessionId}/run", new { code });
            return (await ran.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("result").GetProperty("stdout").GetString()!;
        }

        /// <summary>Waits until no more directories are left than there should be.</summary>
        public async Task ErasedAsync(string path, int left)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (Directory.GetDirectories(path).Length > left)
            {
                await Client.GetAsync(new Uri("/v2/sessions", UriKind.Relative), limit.Token);
            }
        }

        public async Task<JsonElement> GetAsync(string path) => await Client.GetFromJsonAsync<JsonElement>(path);

        public void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
        }

        public void Dispose()
        {
            Kill();
            Client.Dispose();
            _process.Dispose();
        }
    }
}
