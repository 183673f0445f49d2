using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Cerver.Bench.Gateways;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cerver.Bench.Runs;

/// <summary>
/// Kestrel and nothing else, within the bench: a file, and the output of a program of the machine for all who watch it. Nothing is kept,
/// nobody is asked who they are.
/// </summary>
internal sealed class BareServer : IAsyncDisposable
{
    /// <summary>Where the file is.</summary>
    public const string FilePath = "/file";

    /// <summary>Where a program's output is: POST starts the program and watches it, GET watches it.</summary>
    public const string LinesPath = "/lines";

    /// <summary>The file that ends a program which waits for it; in its working directory.</summary>
    public const string StopFile = "stop";

    private const int MaxWaiting = 1_024;

    private readonly WebApplication _server;
    private readonly WorkDirectory _directory;
    private readonly ConcurrentDictionary<Channel<string>, bool> _watchers = [];
    private string _code = string.Empty;

    private BareServer(WebApplication server, WorkDirectory directory)
    {
        _server = server;
        _directory = directory;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => IPEndPoint.Parse(new Uri(_server.Urls.First()).Authority);

    /// <summary>Starts it on a free port.</summary>
    public static async Task<BareServer> StartAsync(Repository repository, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new BareServer(builder.Build(), repository.MakeWorkDirectory());
        server._server.MapGet(FilePath, () => Results.File(server.PathOf("file"), "application/octet-stream"));
        server._server.MapGet(LinesPath, server.WatchAsync);
        server._server.MapPost(LinesPath, (HttpContext context) =>
        {
            var watching = server.WatchAsync(context);
            return Task.WhenAll(watching, server.RunAsync(context.RequestAborted));
        });
        try
        {
            await server._server.StartAsync(cancellationToken);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        return server;
    }

    /// <summary>Makes the file.</summary>
    public Task MakeFileAsync(int bytes, CancellationToken cancellationToken) =>
        File.WriteAllBytesAsync(PathOf("file"), new byte[bytes], cancellationToken);

    /// <summary>Says which program the next POST starts.</summary>
    public void Prepare(string code)
    {
        _code = code;
        File.Delete(PathOf(StopFile));
    }

    /// <summary>Ends a program that waits for it.</summary>
    public void Stop() => File.WriteAllBytes(PathOf(StopFile), []);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private string PathOf(string name) => Path.Combine(_directory.Path, name);

    private async Task WatchAsync(HttpContext context)
    {
        var frames = Channel.CreateBounded<string>(MaxWaiting);
        frames.Writer.TryWrite("id: 0\nevent: run\ndata: {\"run_id\":\"bare\"}\n\n");
        _watchers[frames] = true;
        try
        {
            context.Response.ContentType = "text/event-stream";
            await foreach (var frame in frames.Reader.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.WriteAsync(frame, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        finally
        {
            _watchers.TryRemove(frames, out _);
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", _code])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = _directory.Path,
        };
        using var process = Process.Start(start) ?? throw new UnreachableException("A new process is always a new one.");
        try
        {
            var id = 0;
            while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                Send(++id, "stdout", JsonSerializer.Serialize(new { data = $"{line}\n" }));
            }

            await process.WaitForExitAsync(cancellationToken);
            Send(++id, "exit", $$"""{"exit_code":{{process.ExitCode}}}""");
            foreach (var watcher in _watchers.Keys)
            {
                watcher.Writer.TryComplete();
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>Who does not keep up loses frames; there is nothing to read them from later.</summary>
    private void Send(int id, string kind, string data)
    {
        var frame = string.Create(CultureInfo.InvariantCulture, $"id: {id}\nevent: {kind}\ndata: {data}\n\n");
        foreach (var watcher in _watchers.Keys)
        {
            watcher.Writer.TryWrite(frame);
        }
    }
}
