using System.Collections.Immutable;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;
using Cerver.Relay.Runs;
using Cerver.Runs;
using Cerver.Tests.Computes;

namespace Cerver.Tests.Relays;

/// <summary>What the relay keeps of how a run ended, for a gateway that hears of it later.</summary>
public sealed class RelayRunTests : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly string _directory = Directory.CreateTempSubdirectory("cerver-relay-").FullName;
    private readonly ScriptedProcess _process = new(new SandboxCommand("code", SandboxRuntime.Shell, ImmutableDictionary<string, string>.Empty));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task That_its_time_was_over_is_kept_with_the_end()
    {
        var end = await EndAsync(run => run.TimeOut(Grace));

        Assert.Equal((RelayWords.End, 2L, 143, true), (end.Type, end.Sequence, end.ExitCode, end.TimedOut));
    }

    [Fact]
    public async Task A_run_that_somebody_stops_before_its_time_is_over_has_not_timed_out()
    {
        _process.EndsWhenStopped = false;

        var end = await EndAsync(run =>
        {
            run.Stop(Grace);
            run.TimeOut(Grace);
            _process.End(137);
        });

        Assert.Equal((137, null), (end.ExitCode, end.TimedOut));
    }

    [Fact]
    public async Task A_run_that_ended_before_its_time_is_over_has_not_timed_out()
    {
        var end = await EndAsync(run =>
        {
            _process.End(0);
            run.TimeOut(Grace);
        });

        Assert.Equal((0, null), (end.ExitCode, end.TimedOut));
    }

    /// <summary>Ends a run that has printed something.</summary>
    /// <returns>Its end, as another process of the relay finds it.</returns>
    private async Task<RelayEvent> EndAsync(Action<RelayRun> end)
    {
        var spool = RunSpool.Create(_directory, new RelayedRun("run_x", "sbx_x", "session"));
        using (var run = new RelayRun(spool, _process, static (_, failure) => Task.FromException(failure), TimeProvider.System))
        {
            var recording = run.RecordAsync(maxOutputBytes: 1024);
            _process.Print("begun\n");
            end(run);
            await recording;
        }

        using var again = RunSpool.Reopen(_directory).Single();
        Assert.True(again.IsComplete);
        var events = new List<RelayEvent>();
        await foreach (var what in again.ReadAsync(after: 0, CancellationToken.None))
        {
            events.Add(what);
        }

        return events[^1];
    }
}
