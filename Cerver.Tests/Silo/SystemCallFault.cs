using System.Diagnostics;

namespace Cerver.Tests.Silo;

/// <summary>Lets the system refuse what a living process asks of it, with strace.</summary>
internal sealed class SystemCallFault : IAsyncDisposable
{
    private readonly Process _strace;

    private SystemCallFault(Process strace) => _strace = strace;

    /// <summary>Begins. From then on the calls fail.</summary>
    /// <param name="processId">Whose.</param>
    /// <param name="calls">System calls, separated by commas.</param>
    /// <param name="how">What happens to them in strace's words, such as <c>error=EIO:when=2+</c>.</param>
    /// <param name="path">Only calls to this file, or null for all.</param>
    public static async Task<SystemCallFault> InjectAsync(int processId, string calls, string how, string? path = null)
    {
        Process strace;
        try
        {
            strace = Process.Start(new ProcessStartInfo(
                "strace", ["-f", "-p", $"{processId}", "-o", "/dev/null", "-e", $"trace={calls}", "-e", $"inject={calls}:{how}", .. path is null ? [] : (string[])["-P", path]])
            {
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException("This test needs strace, which scripts/test installs.", missing);
        }

        var said = await strace.StandardError.ReadLineAsync();
        Assert.True(said?.Contains("attached", StringComparison.Ordinal), $"This test needs a machine where strace may attach to a process of the same user; it said: {said}");
        _ = strace.StandardError.ReadToEndAsync();
        return new SystemCallFault(strace);
    }

    /// <summary>Ends. The calls succeed again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_strace.HasExited)
        {
            using var interrupt = Process.Start("kill", ["-INT", $"{_strace.Id}"]);
            await interrupt.WaitForExitAsync();
        }

        await _strace.WaitForExitAsync();
        _strace.Dispose();
    }
}
