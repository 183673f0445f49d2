using Cerver.Errors;
using Cerver.Grains.Storage;
using Cerver.Silo.Standalone;
using Microsoft.Extensions.Options;

namespace Cerver.Silo;

/// <summary>Runs the gateway as a process: start, serve until told to stop, and say in one line why it cannot.</summary>
internal static class GatewayProgram
{
    private const int CouldNotStart = 1;

    /// <summary>The word of sysexits.h for a failure that another attempt may not meet.</summary>
    private const int TryAgain = 75;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    /// <summary>Runs until SIGTERM or SIGINT, or checks the data directory when the first argument is <c>check</c>.</summary>
    /// <returns>
    /// The exit code: 0 after a stop that was asked for, 1 when the gateway could not start or the check found something, 75 when the database
    /// failed or takes no writes at the start, so that whoever supervises starts the gateway again.
    /// </returns>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            return args is ["check", .. var settings] ? DataCheck.Run(settings, Console.Out) : await ServeAsync(args);
        }
        catch (OptionsValidationException invalid)
        {
            return await RefuseAsync(SettingErrors.Describe(invalid));
        }
        catch (InvalidOperationException unreadable) when (SettingErrors.Describe(unreadable) is { } sentence)
        {
            return await RefuseAsync(sentence);
        }
        catch (GatewayStartException refusal)
        {
            return await RefuseAsync(refusal.Message, refusal.MayPass ? TryAgain : CouldNotStart);
        }
        catch (Exception unusable) when (unusable is FormatException or System.Net.Sockets.SocketException)
        {
            return await RefuseAsync($"The gateway cannot listen at what --urls or ASPNETCORE_URLS says: {unusable.Message} An address looks like http://127.0.0.1:8080.");
        }
        catch (IOException taken) when (taken.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            return await RefuseAsync($"{taken.Message} Stop what listens there, or choose another address with --urls.");
        }
    }

    private static async Task<int> ServeAsync(string[] args)
    {
        var app = Gateway.Build(args);
        var failure = app.Services.GetRequiredService<StorageFailure>().Occurred;
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

        return failure.IsCompleted ? await RefuseAsync(await failure, TryAgain) : 0;
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

    private static async Task<int> RefuseAsync(string sentence, int exitCode = CouldNotStart)
    {
        await Console.Error.WriteLineAsync($"cerver: {sentence}");
        return exitCode;
    }
}
