using System.Globalization;
using Cerver.Grains.Computes.Local;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Computes;

/// <summary>A gateway with one sandbox, as a program that a test can kill: <c>dotnet Cerver.Tests.dll DATA_DIRECTORY PORT</c>.</summary>
internal static class SandboxHolder
{
    public static async Task RunAsync(string[] arguments)
    {
        var port = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        await using var provider = new LocalComputeProvider(
            Options.Create(new LocalComputeOptions()), arguments[0], TimeProvider.System, NullLogger<LocalComputeProvider>.Instance);
        await provider.ProbeAsync(CancellationToken.None);
        await using var sandbox = await provider.OpenAsync(new(Ids.NewSandbox(TimeProvider.System), Network: true), CancellationToken.None);

        // The connection is open as long as anything of the sandbox lives, also what hears no signal and has left its parents.
        await sandbox.RunAsync($"exec 3<>/dev/tcp/127.0.0.1/{port}; trap '' TERM HUP INT; setsid sleep 1000 & echo up >&3; sleep 1000");
    }
}
