using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Cerver.Grains.Computes.Local;

/// <summary>The container of a sandbox and the connection to process 1 in it.</summary>
/// <param name="Process">The process whose end is the end of everything in the container.</param>
/// <param name="Socket">The connection.</param>
/// <param name="Diagnostics">Completes with the first of what the container said on its own standard error, once it is gone.</param>
internal sealed record SandboxContainer(Process Process, Socket Socket, Task<string> Diagnostics)
{
    private const int MaxDiagnostics = 4096;

    /// <summary>Starts a container and waits for process 1 to connect. Nobody else can connect after it.</summary>
    /// <param name="spawner">Starts the process.</param>
    /// <param name="start">How it is started.</param>
    /// <param name="socketPath">The socket that process 1 connects to; removed before the method returns.</param>
    /// <param name="cancellationToken">Ends the wait; the container is gone when the exception arrives.</param>
    /// <exception cref="SandboxOpenException">It ended before it connected, or was not started at all.</exception>
    public static async Task<SandboxContainer> StartAsync(
        SandboxSpawner spawner, ProcessStartInfo start, string socketPath, CancellationToken cancellationToken)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        listener.Listen(backlog: 1);
        try
        {
            var process = await StartProcessAsync(spawner, start);
            var diagnostics = ReadDiagnosticsAsync(process.StandardError);
            try
            {
                return new(process, await AcceptAsync(listener, process, diagnostics, cancellationToken), diagnostics);
            }
            catch (Exception)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
                process.Dispose();
                throw;
            }
        }
        finally
        {
            File.Delete(socketPath);
        }
    }

    private static async Task<Process> StartProcessAsync(SandboxSpawner spawner, ProcessStartInfo start)
    {
        try
        {
            return await spawner.StartAsync(start);
        }
        catch (Win32Exception e)
        {
            throw new SandboxOpenException(e.Message);
        }
    }

    private static async Task<Socket> AcceptAsync(Socket listener, Process process, Task<string> diagnostics, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var accepting = listener.AcceptAsync(ended.Token).AsTask();
        var exiting = process.WaitForExitAsync(ended.Token);
        await Task.WhenAny(accepting, exiting);
        if (accepting.IsCompletedSuccessfully)
        {
            await ended.CancelAsync();
            return await accepting;
        }

        cancellationToken.ThrowIfCancellationRequested();
        await ended.CancelAsync();
        throw new SandboxOpenException(await diagnostics);
    }

    /// <summary>Reads to the end, so that nobody in the container ever waits for a reader, and keeps the beginning.</summary>
    private static async Task<string> ReadDiagnosticsAsync(StreamReader standardError)
    {
        // A process that is disposed of leaves a stream that somebody took to who took it.
        using var reader = standardError;
        var text = new StringBuilder();
        var buffer = new char[1024];
        int count;
        while ((count = await reader.ReadAsync(buffer)) > 0)
        {
            text.Append(buffer, 0, Math.Min(count, MaxDiagnostics - text.Length));
        }

        return text.ToString().Trim();
    }
}
