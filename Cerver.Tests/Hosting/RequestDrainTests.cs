using Cerver.Api.Hosting;
using Cerver.Tests.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Hosting;

/// <summary>Requests that are under way when the process is asked to stop.</summary>
public sealed class RequestDrainTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestLifetime _lifetime = new();
    private readonly RequestDrain _drain;

    public RequestDrainTests() => _drain = new(_lifetime, _time);

    public void Dispose()
    {
        _drain.Dispose();
        _lifetime.Dispose();
    }

    [Fact]
    public async Task A_request_has_eight_seconds_to_end_and_is_cut_a_second_later()
    {
        var answered = new TaskCompletionSource();
        var passed = PassAsync(answered);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(_drain.WaitingEnds.IsCancellationRequested);

        _lifetime.StopApplication();
        _time.Advance(RequestDrain.Patience - TimeSpan.FromMilliseconds(1));
        Assert.False(_drain.WaitingEnds.IsCancellationRequested);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_drain.WaitingEnds.IsCancellationRequested);
        Assert.False(_lifetime.WasAborted);

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_lifetime.WasAborted);
        answered.SetResult();
        await passed;
    }

    [Fact]
    public async Task A_request_that_was_answered_is_not_cut()
    {
        var answered = new TaskCompletionSource();
        var passed = PassAsync(answered);
        _lifetime.StopApplication();
        answered.SetResult();
        await passed;

        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.False(_lifetime.WasAborted);
    }

    private Task PassAsync(TaskCompletionSource answered)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        return _drain.PassAsync(context, _ => answered.Task);
    }
}
