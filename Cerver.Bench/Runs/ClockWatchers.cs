using Cerver.Bench.Gateways;

namespace Cerver.Bench.Runs;

/// <summary>Many connections that watch one program which prints its clock.</summary>
internal sealed class ClockWatchers : IDisposable
{
    private readonly List<(RunStream Stream, PrintedClock Clock, Task<OutputResult> Reading)> _watchers = [];

    private ClockWatchers()
    {
    }

    /// <summary>The clocks, one for each connection.</summary>
    public IEnumerable<PrintedClock> Clocks => _watchers.Select(watcher => watcher.Clock);

    /// <summary>Starts the program with the first connection and opens the others; returns when each has its first event.</summary>
    /// <param name="server">Who is asked.</param>
    /// <param name="start">The request that starts the program and watches it.</param>
    /// <param name="watch">The request that watches a run.</param>
    /// <param name="count">How many watchers, at least 1.</param>
    /// <param name="attaching">Called between the first connection and the others.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ClockWatchers> OpenAsync(
        Gateway server,
        ReadOnlyMemory<byte> start,
        Func<string, ReadOnlyMemory<byte>> watch,
        int count,
        Func<Task> attaching,
        CancellationToken cancellationToken)
    {
        var watchers = new ClockWatchers();
        try
        {
            var run = await await watchers.AddAsync(server, start, cancellationToken);
            await attaching();
            var request = watch(run);
            var begun = new List<Task>();
            while (watchers._watchers.Count < count)
            {
                begun.Add(await watchers.AddAsync(server, request, cancellationToken));
            }

            await Task.WhenAll(begun);
        }
        catch
        {
            watchers.Dispose();
            throw;
        }

        return watchers;
    }

    /// <summary>Notes the delays of all lines that are printed within a time.</summary>
    public async Task MeasureAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        foreach (var clock in Clocks)
        {
            clock.Begin();
        }

        await Task.Delay(duration, cancellationToken);
        foreach (var clock in Clocks)
        {
            clock.End();
        }
    }

    /// <summary>Completes when the program is over and every watcher knows it.</summary>
    /// <exception cref="BenchException">A watcher heard of no end, or of a bad one.</exception>
    public Task ReadToEndAsync() => Task.WhenAll(_watchers.Select(watcher => watcher.Reading));

    /// <inheritdoc/>
    public void Dispose() => _watchers.ForEach(watcher => watcher.Stream.Dispose());

    /// <summary>Opens a connection and begins to read.</summary>
    /// <returns>A task that completes with the run's id when the connection has its first event.</returns>
    private async Task<Task<string>> AddAsync(Gateway server, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var clock = new PrintedClock();
        var stream = await RunStream.OpenAsync(server, cancellationToken, clock.Take);
        var reading = stream.ReadAsync(request, cancellationToken);
        _watchers.Add((stream, clock, reading));
        return BegunAsync(stream, reading);
    }

    private static async Task<string> BegunAsync(RunStream stream, Task<OutputResult> reading)
    {
        // A reading that fails before its first event says why.
        if (await Task.WhenAny(stream.Begun, reading) == reading)
        {
            await reading;
        }

        return await stream.Begun;
    }
}
