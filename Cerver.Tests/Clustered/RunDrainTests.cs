using Cerver.Errors;
using Cerver.Grains.Computes.Hosts;
using Cerver.Silo.Clustered;
using Cerver.Tests.Api;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Clustered;

/// <summary>How long a silo that is asked to stop waits for its runs.</summary>
public sealed class RunDrainTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly TestLifetime _lifetime = new();
    private readonly SandboxDrain _sandboxes = new();
    private readonly RunDrain _runs;

    public RunDrainTests() => _runs = new RunDrain(_sandboxes, _lifetime, _time, NullLogger<RunDrain>.Instance);

    public Task InitializeAsync() => _runs.StartAsync(CancellationToken.None);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _runs.Dispose();
        _lifetime.Dispose();
    }

    [Fact]
    public async Task Nothing_is_brought_up_from_the_moment_on_that_a_silo_is_asked_to_stop()
    {
        _sandboxes.RequireStaying();

        _lifetime.StopApplication();

        Assert.Equal(CerverError.HostUnavailable, Assert.Throws<CerverException>(_sandboxes.RequireStaying).Code);
        await StopAsync(after: TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task What_was_brought_up_before_may_begin_for_two_seconds_and_is_waited_for()
    {
        _lifetime.StopApplication();
        var stopped = _runs.StopAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        _sandboxes.Begin();
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.True(SpinWait.SpinUntil(BeginIsRefused, Patience));
        Assert.False(stopped.IsCompleted);
        _sandboxes.Ended();
        await stopped;
    }

    [Fact]
    public async Task A_run_that_does_not_end_is_waited_for_until_ten_seconds_after_the_signal()
    {
        _sandboxes.Begin();
        _lifetime.StopApplication();
        _time.Advance(TimeSpan.FromSeconds(4));

        await StopAsync(after: TimeSpan.FromSeconds(6));
    }

    [Fact]
    public async Task Whoever_cannot_wait_any_longer_ends_the_waiting()
    {
        _sandboxes.Begin();
        _lifetime.StopApplication();
        using var over = new CancellationTokenSource();
        var stopped = _runs.StopAsync(over.Token);
        Assert.False(stopped.IsCompleted);

        await over.CancelAsync();

        await stopped;
    }

    /// <summary>Waits until the drain is over, which must take exactly that long.</summary>
    private async Task StopAsync(TimeSpan after)
    {
        var step = TimeSpan.FromMilliseconds(1);
        var stopped = _runs.StopAsync(CancellationToken.None);
        _time.Advance(after - step);
        Assert.False(stopped.IsCompleted);
        _time.Advance(step);
        await stopped.WaitAsync(Patience);
    }

    private bool BeginIsRefused()
    {
        try
        {
            _sandboxes.Begin();
        }
        catch (CerverException refused) when (refused.Code == CerverError.HostUnavailable)
        {
            return true;
        }

        _sandboxes.Ended();
        return false;
    }
}
