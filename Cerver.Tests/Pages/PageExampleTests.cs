using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Cerver.Tests.Silo;

namespace Cerver.Tests.Pages;

/// <summary>Does what the skill teaches, against a gateway that was started as a user starts it.</summary>
public sealed class PageExampleTests : IAsyncLifetime
{
    private const string Secret = "value-of-the-example";

    private readonly string _data = Directory.CreateTempSubdirectory("cerver-pages-").FullName;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        Environment.SetEnvironmentVariable("CERVER_SECRET_DEPLOY_TOKEN", Secret);
        _gateway = await GatewayProcess.StartAsync(_data);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task The_examples_work_as_pasted_one_after_the_other()
    {
        // Somebody else's session, for those who recall first.
        var sibling = await _gateway.CreateAsync();
        using var appended = await _gateway.AppendAsync(sibling, "We meet at the harbour.");
        var page = await _gateway.Client.GetStringAsync(new Uri("/skill.md", UriKind.Relative));

        var output = await RunAsync(string.Join('\n', PageReader.ExamplesOf(page)));

        Assert.Contains("We meet at the harbour.", output, StringComparison.Ordinal);
        Assert.Matches("event: run\n(.*\n)*data: .*2\\\\n\"\\}\n\nid: \\d+\nevent: exit\ndata: \\{\"exit_code\":0,", output);
        Assert.Contains("DEPLOY_TOKEN", output, StringComparison.Ordinal);
        Assert.Contains("it is [secret:DEPLOY_TOKEN]\n", output, StringComparison.Ordinal);
        Assert.Contains("kept\n", output, StringComparison.Ordinal);
        Assert.EndsWith("idle\nrunning\nkept\n\nended\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tools_that_are_named_are_those_that_there_are()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp") { Content = JsonContent.Create(new { jsonrpc = "2.0", id = 1, method = "tools/list" }) };
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Accept.ParseAdd("text/event-stream");

        using var answer = await _gateway.Client.SendAsync(request);
        var named = PageReader.ToolsOf(await _gateway.Client.GetStringAsync(new Uri("/skill.md", UriKind.Relative)));

        // A gateway without MCP has no tools, and names none.
        var tools = answer.StatusCode == System.Net.HttpStatusCode.NotFound ? [] : ToolsOf(await answer.Content.ReadAsStringAsync());
        Assert.Equal(tools.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    /// <summary>The answer is JSON, or the data of one event.</summary>
    private static string[] ToolsOf(string answer)
    {
        var line = answer.Split('\n').FirstOrDefault(static line => line.StartsWith("data:", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(line?["data:".Length..] ?? answer);
        return [.. json.RootElement.GetProperty("result").GetProperty("tools").EnumerateArray().Select(static tool => tool.GetProperty("name").GetString()!)];
    }

    /// <summary>Runs a script whose calls must all succeed, and gives what it printed.</summary>
    private async Task<string> RunAsync(string script)
    {
        const string Strict = "set -euo pipefail\ncurl() { command curl --fail-with-body --max-time 60 \"$@\"; }\n";
        var start = new ProcessStartInfo("bash", ["-s"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            UseShellExecute = false,
            WorkingDirectory = _data,
        };
        start.Environment["CERVER_API_TOKEN"] = (await File.ReadAllTextAsync(Path.Combine(_data, "token"))).Trim();
        using var shell = Process.Start(start)!;
        await shell.StandardInput.WriteAsync(Strict + script);
        shell.StandardInput.Close();
        var (output, error) = (shell.StandardOutput.ReadToEndAsync(), shell.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await shell.WaitForExitAsync(limit.Token);
        Assert.True(shell.ExitCode == 0, $"{await output}\n{await error}");
        return await output;
    }
}
