using System.Net.Sockets;
using Cerver.Api.Hosting;
using Cerver.Api.Mcp.Stdio;
using Cerver.Errors;
using Cerver.Grains.Storage;
using Cerver.Silo.Clustered;
using Cerver.Silo.Standalone;

namespace Cerver.Silo;

/// <summary>Runs the gateway as a process: start, serve until told to stop, and say in one line why it cannot.</summary>
internal static class GatewayProgram
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    /// <summary>A database server looks after its disk itself.</summary>
    private static Task<string> Never { get; } = new TaskCompletionSource<string>().Task;

    /// <summary>
    /// Runs until SIGTERM or SIGINT; checks the data directory or a cluster's database when the first argument is <c>check</c>, brings the
    /// schema of a cluster's database up to date when it is <c>migrate</c>, and passes MCP on to a gateway when it is <c>mcp</c>.
    /// </summary>
    /// <returns>
    /// The exit code: 0 after a stop that was asked for, 1 when the gateway could not start or the check found something, 75 when the
    /// database failed or takes no writes at the start, so that whoever supervises starts the gateway again.
    /// </returns>
    public static Task<int> RunAsync(string[] args) => StartFailures.ReportAsync(async () => args switch
    {
        ["check", .. var settings] => await CheckAsync(settings),
        ["mcp", .. var settings] => await BridgeProgram.RunAsync(settings),
        ["migrate", .. var settings] => await ClusterDatabase.MigrateAsync(settings, Console.Out),
        _ => await ServeAsync(args),
    });

    private static async Task<int> CheckAsync(string[] args)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        return ClusterSettings.StorageIn(configuration) == StorageKind.Postgres
            ? await ClusterCheck.RunAsync(configuration, Console.Out)
            : DataCheck.Run(args, Console.Out);
    }

    private static async Task<int> ServeAsync(string[] args)
    {
        var app = await Gateway.BuildAsync(args, CancellationToken.None);
        var failure = app.Services.GetService<StorageFailure>()?.Occurred ?? Never;
        try
        {
            await StartAsync(app);
            Banner.Print(app, Console.Out);
            await await Task.WhenAny(app.WaitForShutdownAsync(), failure);
        }
        catch (GatewayStartException) when (failure.IsCompleted)
        {
            // The sentence of the failure says more.
        }
        finally
        {
            // What is disposed of closes the database, and closing writes once more.
            await (failure.IsCompleted ? StopAsync(app) : app.DisposeAsync().AsTask());
        }

        return failure.IsCompleted ? await StartFailures.RefuseAsync(await failure, StartFailures.TryAgain) : 0;
    }

    /// <summary>Starts the gateway. What the last process left open is closed then, so the database must take writes.</summary>
    /// <exception cref="GatewayStartException">It does not.</exception>
    private static async Task StartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (CerverException refusal) when (refusal.Code is CerverError.StorageUnavailable or CerverError.StorageInDoubt)
        {
            throw new GatewayStartException($"The gateway cannot start: {refusal.Message}", mayPass: true);
        }
        catch (Exception failure) when (failure is IOException or SocketException or FormatException)
        {
            // It cannot listen, and everything else is up. Disposed of without a stop, Orleans would tell of all that is gone from under it.
            await StopAsync(app);
            throw;
        }
    }

    /// <summary>Lets calls that are under way have their answers, but not for long: the next start waits.</summary>
    private static async Task StopAsync(WebApplication app)
    {
        try
        {
            await app.StopAsync().WaitAsync(StopLimit);
        }
        catch (Exception failure)
        {
            // The process ends now, whatever still hangs on the database.
            await Console.Error.WriteLineAsync($"cerver: Not everything could be stopped in order: {failure.Message}");
        }
    }
}
