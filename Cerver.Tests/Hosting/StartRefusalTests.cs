using System.Diagnostics;

namespace Cerver.Tests.Hosting;

/// <summary>What the processes of a cluster say when they cannot start.</summary>
public sealed class StartRefusalTests
{
    private const string Database = "--ConnectionStrings:Cerver=Host=127.0.0.1;Port=1;Database=cerver;Username=cerver;Password=x;Timeout=2";

    [Theory]
    [InlineData("Cerver.Api.dll", "--Cerver:Storage=Sqlite", "Postgres")]
    [InlineData("Cerver.Api.dll", "--Cerver:Storage=Postgres", "ConnectionStrings:Cerver")]
    [InlineData("Cerver.Silo.dll", "--Cerver:Storage=Postgres", "ConnectionStrings:Cerver")]
    [InlineData("Cerver.Silo.dll", "--Cerver:Storage=Papyrus", "one of Sqlite, Postgres")]
    [InlineData("Cerver.Silo.dll", "--Cerver:Storage=1", "one of Sqlite, Postgres")]
    public async Task A_setting_that_is_missing_or_wrong_is_named_in_one_line(string program, string setting, string named)
    {
        var (exitCode, error) = await RunAsync(program, "--CERVER_API_TOKEN=a-token-that-is-long-enough", setting);

        Assert.Equal(1, exitCode);
        Assert.Contains(named, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Cerver:Cluster:SiloPort=0", "between 1 and 65535")]
    [InlineData("--Cerver:Cluster:GatewayPort=nine", "between 1 and 65535")]
    [InlineData("--Cerver:Cluster:AdvertisedAddress=somewhere", "IP address")]
    public async Task A_setting_of_the_cluster_that_is_out_of_its_range_is_named_with_its_range(string setting, string range)
    {
        var (exitCode, error) = await RunAsync("Cerver.Silo.dll", "--CERVER_API_TOKEN=a-token-that-is-long-enough", "--Cerver:Storage=Postgres", Database, setting);

        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(1, exitCode);
        Assert.Contains(setting[2..setting.IndexOf('=', StringComparison.Ordinal)], line, StringComparison.Ordinal);
        Assert.Contains(range, line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Cerver.Api.dll")]
    [InlineData("Cerver.Silo.dll")]
    public async Task Without_any_token_nobody_could_call_a_process_of_a_cluster(string program)
    {
        var (exitCode, error) = await RunAsync(program, "--Cerver:Storage=Postgres", Database);

        Assert.Equal(1, exitCode);
        Assert.Contains("CERVER_API_TOKEN", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("migrate")]
    public async Task A_database_that_does_not_answer_is_worth_another_attempt(params string[] command)
    {
        var (exitCode, error) = await RunAsync(
            "Cerver.Silo.dll", [.. command, "--CERVER_API_TOKEN=a-token-that-is-long-enough", "--Cerver:Storage=Postgres", Database, "--urls=http://127.0.0.1:0"]);

        Assert.Equal(75, exitCode);
        Assert.Contains("does not answer", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Error)> RunAsync(string program, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. args]) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment.Remove("CERVER_API_TOKEN");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        _ = await process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await error);
    }
}
