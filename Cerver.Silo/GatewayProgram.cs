using Cerver.Silo.Standalone;
using Microsoft.Extensions.Options;

namespace Cerver.Silo;

/// <summary>Runs the gateway as a process: start, serve until told to stop, and say in one line why it cannot.</summary>
internal static class GatewayProgram
{
    private const int CouldNotStart = 1;

    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <returns>The exit code: 0 after a stop that was asked for, 1 when the gateway could not start.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var app = Gateway.Build(args);
            await app.StartAsync();
            Banner.Print(app, Console.Out);
            await app.WaitForShutdownAsync();
            return 0;
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
            return await RefuseAsync(refusal.Message);
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

    private static async Task<int> RefuseAsync(string sentence)
    {
        await Console.Error.WriteLineAsync($"cerver: {sentence}");
        return CouldNotStart;
    }
}
