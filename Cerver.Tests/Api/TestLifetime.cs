using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;

namespace Cerver.Tests.Api;

/// <summary>The life of a process and of a request, as a test wants it.</summary>
internal sealed class TestLifetime : IHostApplicationLifetime, IHttpRequestLifetimeFeature, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    public bool WasAborted { get; private set; }

    public CancellationToken RequestAborted { get; set; }

    public CancellationToken ApplicationStarted => CancellationToken.None;

    public CancellationToken ApplicationStopping => _stopping.Token;

    public CancellationToken ApplicationStopped => CancellationToken.None;

    public void StopApplication() => _stopping.Cancel();

    public void Abort() => WasAborted = true;

    public void Dispose() => _stopping.Dispose();
}
