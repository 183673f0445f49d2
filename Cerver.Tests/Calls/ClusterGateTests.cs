using Cerver.Api.Calls;
using Cerver.Tests.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Calls;

/// <summary>Requests of a front door that knows no silo.</summary>
public sealed class ClusterGateTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeCluster _cluster = new() { KnowsNoSilo = true };
    private readonly DefaultHttpContext _context = new();
    private bool _wasPassed;

    [Fact]
    public async Task A_request_waits_for_a_silo()
    {
        var passed = PassAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(passed.IsCompleted);

        _cluster.KnowsNoSilo = false;
        await AdvanceUntilAsync(passed);

        Assert.True(_wasPassed);
        Assert.Equal(StatusCodes.Status200OK, _context.Response.StatusCode);
    }

    [Fact]
    public async Task A_request_is_refused_when_there_is_none_for_the_time_that_a_call_may_take()
    {
        var began = _time.GetTimestamp();
        var passed = PassAsync();

        await AdvanceUntilAsync(passed);

        Assert.False(_wasPassed);
        Assert.Equal(StatusCodes.Status503ServiceUnavailable, _context.Response.StatusCode);
        Assert.True(_time.GetElapsedTime(began) > GrainCalls.Limit);
    }

    [Fact]
    public async Task Who_hangs_up_waits_no_longer()
    {
        using var hungUp = new CancellationTokenSource();
        _context.RequestAborted = hungUp.Token;
        var passed = PassAsync();

        await hungUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => passed);
        Assert.False(_wasPassed);
    }

    private Task PassAsync() => new ClusterGate(_cluster.Client, _time).PassAsync(_context, _ =>
    {
        _wasPassed = true;
        return Task.CompletedTask;
    });

    private async Task AdvanceUntilAsync(Task over)
    {
        while (!over.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        await over;
    }
}
