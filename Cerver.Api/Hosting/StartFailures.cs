using System.Data.Common;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Hosting;

/// <summary>Why a process cannot start, in one line on the standard error.</summary>
internal static class StartFailures
{
    /// <summary>The exit code of a start that fails again before somebody does something about it.</summary>
    public const int CouldNotStart = 1;

    /// <summary>The word of sysexits.h for a failure that another attempt may not meet.</summary>
    public const int TryAgain = 75;

    /// <summary>Runs a program, and says in one line why it cannot.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> ReportAsync(Func<Task<int>> program)
    {
        try
        {
            return await program();
        }
        catch (Exception failure) when (Describe(failure) is { } described)
        {
            return await RefuseAsync(described.Sentence, described.ExitCode);
        }
    }

    /// <summary>Says why.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RefuseAsync(string sentence, int exitCode)
    {
        await Console.Error.WriteLineAsync($"cerver: {sentence}");
        return exitCode;
    }

    private static (string Sentence, int ExitCode)? Describe(Exception failure) => failure switch
    {
        OptionsValidationException invalid => (SettingErrors.Describe(invalid), CouldNotStart),
        InvalidOperationException unreadable when SettingErrors.Describe(unreadable) is { } sentence => (sentence, CouldNotStart),
        GatewayStartException refusal => (refusal.Message, refusal.MayPass ? TryAgain : CouldNotStart),
        _ when DatabaseIn(failure) is { } cause =>
            ($"The database does not answer: {cause.Message.ReplaceLineEndings(" ")} See that it runs and that ConnectionStrings:{ClusterSettings.ConnectionName} names it.", TryAgain),
        FormatException or SocketException =>
            ($"The gateway cannot listen at what --urls or ASPNETCORE_URLS says: {failure.Message} An address looks like http://127.0.0.1:8080.", CouldNotStart),
        IOException { InnerException: AddressInUseException } =>
            ($"{failure.Message} Stop what listens there, or choose another address with --urls.", CouldNotStart),
        _ => null,
    };

    private static DbException? DatabaseIn(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is DbException found)
            {
                return found;
            }
        }

        return null;
    }
}
