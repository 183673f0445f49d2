using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;

namespace Cerver.Tests.Silo;

/// <summary>The gateway as a process: what it says and leaves behind when it starts, and when it cannot.</summary>
public sealed class GatewayProcessTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cerver-start-").FullName;

    [Theory]
    [InlineData("Cerver:Limits:MaxEntryBytes", "abc", "between 1024 and 16777216")]
    [InlineData("Cerver:Limits:MaxEntryBytes", "5", "between 1024 and 16777216")]
    [InlineData("Cerver:Limits:DefaultRunTimeout", "2.00:00:00", "between 00:00:01 and 1.00:00:00")]
    [InlineData("Cerver:Limits:DefaultRunTimeout", "soon", "between 00:00:01 and 1.00:00:00")]
    [InlineData("Cerver:Compute:IdleTimeout", "00:00:00.5", "between 00:00:01 and 30.00:00:00")]
    [InlineData("Cerver:Compute:Retention", "10:00:00:00:00", "between 00:01:00 and 3650.00:00:00")]
    [InlineData("Cerver:Compute:Local:Isolation", "Perhaps", "one of Bubblewrap, None")]
    [InlineData("Cerver:Compute:Local:MaxProcesses", "1", "between 16 and 1000000")]
    [InlineData("Cerver:Api:MaxBodyBytes", "-1", "between")]
    public async Task A_bad_setting_stops_the_start_with_one_line_that_names_it_and_its_range(string name, string value, string range)
    {
        var (exitCode, error) = await RunAsync($"--{name}={value}");

        Assert.Equal(1, exitCode);
        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(name, line, StringComparison.Ordinal);
        Assert.Contains(range, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_too_short_stops_the_start()
    {
        var (exitCode, error) = await RunAsync("--CERVER_API_TOKEN=short");

        Assert.Equal(1, exitCode);
        Assert.Contains("16", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_makes_its_token_once_keeps_it_to_itself_and_its_data_directory_too()
    {
        await using var gateway = await GatewayProcess.StartAsync(_data);
        var token = await File.ReadAllTextAsync(Path.Combine(_data, "token"));

        var (exitCode, error) = await RunAsync("--urls=http://127.0.0.1:0");
        await gateway.StopAsync();

        Assert.Contains("http://127.0.0.1:", gateway.Output, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_data, "token"), gateway.Output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_data, "token")));
        Assert.Equal((1, true), (exitCode, error.Contains("used by another gateway", StringComparison.Ordinal)));

        await using var again = await GatewayProcess.StartAsync(_data);
        await again.StopAsync();
        Assert.Equal(token, await File.ReadAllTextAsync(Path.Combine(_data, "token")));
    }

    [Fact]
    public async Task The_environment_says_where_to_listen_and_the_command_line_wins_over_it()
    {
        await using var byEnvironment = GatewayProcess.Launch(_data, "http://127.0.0.1:0");
        await byEnvironment.UpAsync();
        await byEnvironment.StopAsync();
        Assert.DoesNotContain(":8080", byEnvironment.Output, StringComparison.Ordinal);

        await using var byArgument = GatewayProcess.Launch(_data, "http://192.0.2.1:1", "--urls=http://127.0.0.1:0");
        await byArgument.UpAsync();
        await byArgument.StopAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_data, "cerver.db")));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("http://192.0.2.1:8080")]
    public async Task An_address_that_cannot_be_listened_at_stops_the_start_with_a_sentence(string address)
    {
        var (exitCode, error) = await RunAsync($"--urls={address}");

        Assert.Equal(1, exitCode);
        Assert.Contains("--urls", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_stops_the_start_with_one_sentence_and_no_stack_trace()
    {
        using var other = new TcpListener(IPAddress.Loopback, port: 0);
        other.Start();

        await using var gateway = GatewayProcess.Launch(_data, urls: null, $"--urls=http://{other.LocalEndpoint}");
        var (exitCode, error) = await gateway.EndedAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains("--urls", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_stops_with_a_sandbox_up_has_no_failure_to_tell_of()
    {
        await using var gateway = await GatewayProcess.StartAsync(_data, "--Cerver:Compute:Local:Isolation=None");
        var session = await gateway.CreateAsync(new { compute = "local", requirements = new { runtime = "shell" } });
        using var run = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "true" });
        Assert.Equal(HttpStatusCode.OK, run.StatusCode);

        await gateway.StopAsync();

        Assert.DoesNotContain("Exception", gateway.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", gateway.Output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private async Task<(int ExitCode, string Error)> RunAsync(params string[] args)
    {
        await using var gateway = GatewayProcess.Launch(_data, urls: null, args);
        return await gateway.EndedAsync();
    }
}
