using System.Collections.Concurrent;
using System.Diagnostics;

namespace Cerver.Bench.Histories;

/// <summary>Writes a history down while it happens. Any number of clients may write at once.</summary>
internal sealed class HistoryRecorder
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly DateTimeOffset _beganAt = TimeProvider.System.GetUtcNow();
    private readonly ConcurrentQueue<Creation> _creations = [];
    private readonly ConcurrentQueue<Append> _appends = [];
    private readonly ConcurrentQueue<RunStart> _runs = [];
    private readonly ConcurrentQueue<PageRead> _pages = [];
    private readonly ConcurrentQueue<Watched> _watchers = [];
    private readonly ConcurrentQueue<Fault> _faults = [];
    private readonly ConcurrentQueue<Failure> _failures = [];
    private readonly ConcurrentQueue<FinalState> _finals = [];

    /// <summary>The time since the history began.</summary>
    public TimeSpan Now => Stopwatch.GetElapsedTime(_began);

    /// <summary>A time of this machine's clock as a time of the history.</summary>
    public TimeSpan TimeOf(DateTimeOffset time) => time - _beganAt;

    /// <summary>Adds an attempt to create a session.</summary>
    public void Add(Creation creation) => _creations.Enqueue(creation);

    /// <summary>Adds an attempt to append.</summary>
    public void Add(Append append) => _appends.Enqueue(append);

    /// <summary>Adds an attempt to start a run.</summary>
    public void Add(RunStart start) => _runs.Enqueue(start);

    /// <summary>Adds a page that was read.</summary>
    public void Add(PageRead page) => _pages.Enqueue(page);

    /// <summary>Adds what a watcher collected.</summary>
    public void Add(Watched watched) => _watchers.Enqueue(watched);

    /// <summary>Adds something done to the gateway.</summary>
    public void Add(Fault fault) => _faults.Enqueue(fault);

    /// <summary>Adds a failure.</summary>
    public void Add(Failure failure) => _failures.Enqueue(failure);

    /// <summary>Adds a final state; the first is what all else is compared with.</summary>
    public void Add(FinalState state) => _finals.Enqueue(state);

    /// <summary>Everything that was written down until now.</summary>
    public History ToHistory() => new()
    {
        Creations = [.. _creations],
        Appends = [.. _appends],
        Runs = [.. _runs],
        Pages = [.. _pages],
        Watchers = [.. _watchers],
        Faults = [.. _faults],
        Failures = [.. _failures],
        Finals = [.. _finals],
    };
}
