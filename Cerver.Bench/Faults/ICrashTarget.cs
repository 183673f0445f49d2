using System.Collections.Immutable;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>A gateway, be it one process or a cluster, to which things are done while clients use it.</summary>
internal interface ICrashTarget : IAsyncDisposable
{
    /// <summary>Where it answers. Whoever has a request chooses one at random.</summary>
    ImmutableArray<Uri> Addresses { get; }

    /// <summary>The key of its one account.</summary>
    string Token { get; }

    /// <summary>A word that stands in the paths of all its data and nowhere else on this machine.</summary>
    string Mark { get; }

    /// <summary>How many clients use it, and how fast.</summary>
    CrashLoad Load { get; }

    /// <summary>How often things are done to it in one round, so that a history does not become too long.</summary>
    int CyclesPerRound { get; }

    /// <summary>The longest that one cycle may take.</summary>
    TimeSpan CycleLimit { get; }

    /// <summary>Completes when it makes sense to ask: at once, unless all of it is down on purpose.</summary>
    Task Up { get; }

    /// <summary>
    /// Begins to watch for the moment from which on what is asked now can have no effect any more that it has not had. What is returned waits for that moment,
    /// after the client has given up.
    /// </summary>
    Func<CancellationToken, Task> WatchReplacement();

    /// <summary>A client tells that something was acknowledged.</summary>
    void NoteUse();

    /// <summary>Lets the clients work for a while, and then does one thing to it. Completes when it is whole again and has had its time to recover.</summary>
    /// <param name="history">Where the fault is written down.</param>
    /// <param name="random">Says when, and which thing.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What is wrong and shows in no answer, as sentences.</returns>
    /// <exception cref="BenchException">It does not become whole again.</exception>
    Task<IReadOnlyList<string>> StrikeAsync(HistoryRecorder history, Random random, CancellationToken cancellationToken);

    /// <summary>The hosts of the sandboxes of all runs, by the run's id; none when there is only one host.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    Task<IReadOnlyDictionary<string, string>> ReadHostsAsync(CancellationToken cancellationToken);

    /// <summary>Kills all of it at once, checks what that left before anything has been mended, and starts it again.</summary>
    /// <param name="history">Where the fault is written down.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What is wrong and shows in no answer, as sentences.</returns>
    /// <exception cref="BenchException">It does not become whole again.</exception>
    Task<IReadOnlyList<string>> RestartAsync(HistoryRecorder history, CancellationToken cancellationToken);
}

/// <summary>How many clients there are, and how fast.</summary>
/// <param name="Transcripts">Sessions without compute.</param>
/// <param name="Sandboxes">Sessions with a local sandbox.</param>
/// <param name="WritersPerSession">Who append to a session.</param>
/// <param name="RunnersPerSandbox">Who run programs in a sandbox.</param>
/// <param name="WatchersPerSession">Who watch a session's stream.</param>
/// <param name="Ease">How many times longer than they could everybody rests between requests.</param>
/// <param name="MaxStay">How long a watcher stays at most before it goes away and comes back.</param>
/// <param name="SomeStay">Whether one time in three it stays to the end of the stream or until that breaks, and so lives through faults.</param>
/// <param name="LineInterval">How long a slow program waits after each of its lines, of which it has less than 40.</param>
internal sealed record CrashLoad(
    int Transcripts, int Sandboxes, int WritersPerSession, int RunnersPerSandbox, int WatchersPerSession, int Ease, TimeSpan MaxStay, bool SomeStay,
    TimeSpan LineInterval);
