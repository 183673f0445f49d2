using System.Diagnostics;

namespace Cerver.Bench.Runs;

/// <summary>A child process whose stdout is read through a pipe.</summary>
internal static class BarePipe
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Runs code in a shell and reads what it prints.</summary>
    /// <exception cref="BenchException">It failed.</exception>
    public static async Task<OutputResult> ReadAsync(
        string code, CancellationToken cancellationToken, RunStream.TakePrinted? printed = null)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", code]) { UseShellExecute = false, RedirectStandardOutput = true };

        // What the caller's shell is set up to do is no part of the comparison.
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(start) ?? throw new UnreachableException("A new process is always a new one.");
        var first = TimeSpan.Zero;
        var bytes = 0L;
        var buffer = new byte[BufferBytes];
        int read;
        while ((read = await process.StandardOutput.BaseStream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            first = bytes == 0 ? Stopwatch.GetElapsedTime(started) : first;
            bytes += read;
            printed?.Invoke(buffer.AsSpan(0, read));
        }

        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0
            ? new(bytes, first, Stopwatch.GetElapsedTime(started))
            : throw new BenchException($"The program beside the gateway ended with exit code {process.ExitCode}.");
    }
}
