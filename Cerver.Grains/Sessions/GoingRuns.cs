using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>The runs of one session that are going on, as its one writer knows them. No I/O.</summary>
internal sealed class GoingRuns
{
    /// <summary>A run of this age that its sandbox does not know will not be started any more: the call that would have is over.</summary>
    public static readonly TimeSpan LostAge = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, RunRecord> _runs = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _runs.Count;

    /// <summary>Whether a run is among them.</summary>
    public bool Contains(string runId) => _runs.ContainsKey(runId);

    /// <summary>The runs that their sandbox does not know and will not start any more.</summary>
    /// <param name="known">Those that it knows.</param>
    /// <param name="now">The time.</param>
    public ImmutableArray<string> LostAmong(ImmutableArray<string> known, DateTimeOffset now) =>
        [.. _runs.Values.Where(run => now - run.StartedAt > LostAge && !known.Contains(run.RunId)).Select(run => run.RunId)];

    /// <summary>Takes what is on disk.</summary>
    public void Load(ImmutableArray<RunRecord> runs)
    {
        foreach (var run in runs)
        {
            _runs.Add(run.RunId, run);
        }
    }

    /// <summary>Follows a change that was committed.</summary>
    public void Apply(SessionChange change)
    {
        foreach (var ended in change.Ended)
        {
            _runs.Remove(ended.RunId);
        }

        if (change.Started is { } run)
        {
            _runs.Add(run.RunId, run);
        }
    }

    /// <summary>A change with which runs end, each with its entry and its time in the metrics. Runs that ended before are left out.</summary>
    public SessionChange End(SessionRecord next, ImmutableArray<RunEnd> ended, DateTimeOffset now, params ReadOnlySpan<TranscriptEntry> more)
    {
        ended = ended.RemoveAll(end => !_runs.ContainsKey(end.RunId));
        var took = ended.Sum(end => (long)(end.EndedAt - _runs[end.RunId].StartedAt).TotalMilliseconds);
        var metrics = next.Metrics with { RunTimeMs = next.Metrics.RunTimeMs + took };
        var change = SessionChange.From(next with { Metrics = metrics }, now, rewrites: true, [.. ended.Select(SessionEntries.RunEnded), .. more]);
        return change with { Ended = ended };
    }

    /// <summary>The same when nothing is up any more: runs of which the sandbox did not say how they ended are lost. None stays going.</summary>
    public SessionChange EndAll(SessionRecord next, ImmutableArray<RunEnd> ended, DateTimeOffset now, params ReadOnlySpan<TranscriptEntry> more) =>
        End(next, [.. ended, .. _runs.Keys.Except(ended.Select(end => end.RunId)).Select(runId => RunEnd.Lost(runId, now))], now, more);
}
