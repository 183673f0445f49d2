using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Cerver.Tests.Http;
using ModelContextProtocol;
using ModelContextProtocol.Client;

namespace Cerver.Tests.Mcp;

[Collection(nameof(GatewayFixture))]
public sealed class StdioBridgeTests(GatewayFixture gateway)
{
    private const string Initialize =
        """{"jsonrpc":"2.0","id":"one","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}""";

    [Theory]
    [InlineData("2025-06-18", "Cerver.Api.dll")]
    [InlineData("2025-11-25", "Cerver.Silo.dll")]
    [InlineData("2026-07-28", "Cerver.Api.dll")]
    public async Task Tools_work_as_they_do_over_http(string version, string program)
    {
        await using var agent = await Agent.ConnectAsync(
            new StdioClientTransport(new StdioClientTransportOptions
            {
                Command = "dotnet",
                Arguments = [PathOf(program), "mcp", "--url", gateway.Address.ToString()],
                EnvironmentVariables = new Dictionary<string, string?>(StringComparer.Ordinal) { ["CERVER_API_TOKEN"] = GatewayFixture.Token },
            }),
            version);
        var sessionId = (await agent.CallAsync("cerver_session_create", new { compute = "local" })).GetProperty("session_id").GetString();
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = await agent.AskAsync("cerver_run", new { session_id = sessionId, code = "echo over stdio" }, new Listener(heard));

        Assert.Equal(version, agent.Client.NegotiatedProtocolVersion);
        Assert.Equal("over stdio\n", answer.StructuredContent!.Value.GetProperty("stdout").GetString());
        Assert.StartsWith("run_", await heard.Task, StringComparison.Ordinal);
        Assert.Contains("code: not_found", await agent.FailAsync("cerver_session_peek", new { session_id = new string('0', 36) }), StringComparison.Ordinal);
        await Assert.ThrowsAsync<McpProtocolException>(async () => await agent.Client.CallToolAsync("cerver_nothing"));
    }

    [Fact]
    public async Task Who_cancels_a_request_cancels_the_run()
    {
        var sessionId = await gateway.CreateAsync();
        using var bridge = Start(GatewayFixture.Token, "--url", gateway.Address.ToString());
        await bridge.StandardInput.WriteLineAsync(Initialize);
        await bridge.StandardInput.WriteLineAsync(
            $$$$"""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"_meta":{"progressToken":"p"},"name":"cerver_run","arguments":{"session_id":"{{{{sessionId}}}}","code":"sleep 1000","timeout":900}}}""");
        _ = await bridge.StandardOutput.ReadLineAsync();
        using var progress = JsonDocument.Parse((await bridge.StandardOutput.ReadLineAsync())!);
        var runId = progress.RootElement.GetProperty("params").GetProperty("message").GetString()!.Split(' ')[0];
        await bridge.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}""");
        var events = await gateway.Client.GetStringAsync(new Uri($"/v2/sessions/{sessionId}/runs/{runId}/stream", UriKind.Relative));
        bridge.StandardInput.Close();

        Assert.Contains("\"cancelled\":true", events, StringComparison.Ordinal);
        Assert.DoesNotContain("\"id\":7", await bridge.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        await bridge.WaitForExitAsync();
        Assert.Equal(0, bridge.ExitCode);
    }

    [Fact]
    public async Task What_is_under_way_is_answered_when_the_input_ends()
    {
        var sessionId = await gateway.CreateAsync();
        var (exitCode, output, error) = await RunAsync(
            [Initialize, $$$$"""{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"cerver_run","arguments":{"session_id":"{{{{sessionId}}}}","code":"sleep 1; echo late"}}}"""],
            GatewayFixture.Token, "--url", gateway.Address.ToString());

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal(2, output.Length);
        Assert.Contains("late", output[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_is_no_message_is_answered_and_the_next_one_works()
    {
        var (exitCode, output, _) = await RunAsync(["nonsense", "", Initialize], GatewayFixture.Token, "--url", gateway.Address.ToString());

        Assert.Equal(0, exitCode);
        Assert.Contains("-32700", output[0], StringComparison.Ordinal);
        Assert.Contains("\"protocolVersion\":\"2025-06-18\"", output[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_nobody_has_is_said_to_be_wrong()
    {
        var (exitCode, output, error) = await RunAsync([Initialize], "not-a-token-of-anybody", "--url", gateway.Address.ToString());

        Assert.Equal(0, exitCode);
        Assert.Contains("\"id\":\"one\",\"error\"", Assert.Single(output), StringComparison.Ordinal);
        Assert.Contains("CERVER_API_TOKEN", output[0], StringComparison.Ordinal);
        Assert.Contains("CERVER_API_TOKEN", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_is_not_there_is_said_to_be_missing()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var url = $"http://{free.LocalEndpoint}";
        free.Stop();
        var (exitCode, output, error) = await RunAsync([Initialize], GatewayFixture.Token, "--url", url);

        Assert.Equal(0, exitCode);
        Assert.Contains("cannot be reached", Assert.Single(output), StringComparison.Ordinal);
        Assert.Contains(url, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--url", "nowhere")]
    [InlineData("--url")]
    [InlineData("--colour", "red")]
    [InlineData("--token", "a-token-that-all-can-read")]
    public async Task An_argument_that_is_wrong_stops_the_start(params string[] arguments)
    {
        var (exitCode, output, error) = await RunAsync([Initialize], GatewayFixture.Token, arguments);

        Assert.Equal(1, exitCode);
        Assert.Empty(output);
        Assert.StartsWith("cerver: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_none_stops_the_start()
    {
        var (exitCode, output, error) = await RunAsync([Initialize], "two words", "--url", gateway.Address.ToString());

        Assert.Equal(1, exitCode);
        Assert.Empty(output);
        Assert.Contains("The token", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_an_end_is_given_up()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var sending = SendForEverAsync(other);

        var (exitCode, output, _) = await RunAsync([Initialize], GatewayFixture.Token, "--url", $"http://{other.LocalEndpoint}");

        Assert.Equal(0, exitCode);
        Assert.Contains("The line to the gateway", Assert.Single(output), StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => sending);
    }

    private static async Task SendForEverAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"u8.ToArray());
        while (true)
        {
            await stream.WriteAsync(new byte[1024 * 1024]);
        }
    }

    private static string PathOf(string program) => Path.Combine(AppContext.BaseDirectory, program);

    private static Process Start(string token, params string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [PathOf("Cerver.Api.dll"), "mcp", .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
        Environment = { ["CERVER_API_TOKEN"] = token },
    })!;

    /// <summary>Runs the bridge over lines of input.</summary>
    private static async Task<(int ExitCode, string[] Output, string Error)> RunAsync(string[] input, string token, params string[] arguments)
    {
        using var bridge = Start(token, arguments);
        var (output, error) = (bridge.StandardOutput.ReadToEndAsync(), bridge.StandardError.ReadToEndAsync());
        try
        {
            foreach (var line in input)
            {
                await bridge.StandardInput.WriteLineAsync(line);
            }

            bridge.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it read anything, which is what some tests want.
        }

        await bridge.WaitForExitAsync();
        return (bridge.ExitCode, (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries), await error);
    }

    private sealed class Listener(TaskCompletionSource<string> heard) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => heard.TrySetResult(value.Message!);
    }
}
