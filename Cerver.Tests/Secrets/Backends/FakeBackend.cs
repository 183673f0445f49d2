using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Secrets.Backends;

/// <summary>A server on 127.0.0.1 that stands for a backend of secrets, and whose answers can be taken from it.</summary>
internal sealed class FakeBackend : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _requests = new();

    private FakeBackend(WebApplication app) => _app = app;

    /// <summary>Its address, without a '/' at the end; the same after it has stopped.</summary>
    public string Address { get; private set; } = "";

    /// <summary>What was asked, as <c>GET /path?query</c>, the oldest first.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>Answers in place of the backend when it says that it did.</summary>
    public Func<HttpContext, Task<bool>>? Disturb { get; set; }

    /// <summary>Starts to listen.</summary>
    /// <param name="handle">Answers.</param>
    /// <param name="port">Where, 0 for any free port.</param>
    public static async Task<FakeBackend> StartAsync(Func<HttpContext, Task> handle, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        var backend = new FakeBackend(app);
        app.Run(async context =>
        {
            backend._requests.Enqueue($"{context.Request.Method} {new Uri(context.Request.GetEncodedUrl()).PathAndQuery}");
            if (backend.Disturb is not { } disturb || !await disturb(context))
            {
                await handle(context);
            }
        });
        await app.StartAsync();
        backend.Address = app.Urls.Single();
        return backend;
    }

    /// <summary>Listens no more.</summary>
    public Task StopAsync() => _app.StopAsync();

    /// <summary>Waits until the process is told to end.</summary>
    public Task EndAsync() => _app.WaitForShutdownAsync();

    /// <summary>Answers every request like this.</summary>
    /// <param name="status">The status.</param>
    /// <param name="body">The body.</param>
    /// <param name="to">Where it sends to, if anywhere.</param>
    public void AnswerAll(int status, string body = "", string? to = null) => Disturb = async context =>
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = to;
        await context.Response.WriteAsync(body);
        return true;
    };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
