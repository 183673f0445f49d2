using Microsoft.Extensions.Hosting;

namespace Cerver.Api.Hosting;

/// <summary>
/// Lets requests that are under way come to their end when the process is asked to stop, and cuts those that take longer: whoever stops
/// after them needs the rest of the time that a stop may take.
/// </summary>
internal sealed class RequestDrain : IDisposable
{
    /// <summary>How long what waits for something, such as the end of a run, goes on waiting.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    /// <summary>How long it may then take to say so.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _waitingEnds;
    private readonly CancellationTokenSource _cut;
    private readonly CancellationTokenRegistration _stopping;

    /// <summary>The clock begins when the process is asked to stop.</summary>
    public RequestDrain(IHostApplicationLifetime lifetime, TimeProvider time)
    {
        _waitingEnds = new(Timeout.InfiniteTimeSpan, time);
        _cut = new(Timeout.InfiniteTimeSpan, time);
        _stopping = lifetime.ApplicationStopping.Register(() =>
        {
            _waitingEnds.CancelAfter(Patience);
            _cut.CancelAfter(Patience + Grace);
        });
    }

    /// <summary>Is cancelled when nothing is to be waited for any more.</summary>
    public CancellationToken WaitingEnds => _waitingEnds.Token;

    /// <summary>Passes a request on, and breaks its connection off when its time is over.</summary>
    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        await using var cut = _cut.Token.UnsafeRegister(static state => ((HttpContext)state!).Abort(), context);
        await next(context);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Dispose();
        _waitingEnds.Dispose();
        _cut.Dispose();
    }
}
