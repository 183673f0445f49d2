namespace Cerver.Bench.Histories;

/// <summary>Which runs are lost, to what, and how soon somebody says so.</summary>
internal static class LostRunRules
{
    /// <summary>Within this time after its sandbox is gone a run is closed, by whoever is there.</summary>
    public static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(30);

    /// <summary>Looks at every run that is lost.</summary>
    /// <param name="index">The history.</param>
    /// <param name="patience">How many times the limit is allowed.</param>
    public static IEnumerable<Violation> Check(HistoryIndex index, int patience)
    {
        var starts = index.History.Runs.ToLookup(start => (start.Session, start.Code));
        foreach (var run in (index.Final.Runs ?? []).Where(run => run.Status == "lost" && starts.Contains((run.Session, run.Code))))
        {
            var started = starts[(run.Session, run.Code)].Min(start => start.Started);
            var causes = index.History.Faults
                .Where(fault => fault.Kind.LosesRuns() && fault.Over >= started && (run.Ended is not { } end || end >= fault.Struck))
                .ToList();
            if (causes.Count == 0)
            {
                yield return new(Rule.RunsAreNotLost, $"Run {run.Run} is lost and there was no fault after it was started that loses runs.");
            }
            else if (run.Ended is { } ended && causes.TrueForAll(cause => ended > GoneIn(cause) + (ClosingLimit * patience)))
            {
                var last = causes.MaxBy(cause => cause.Struck)!;
                yield return new(
                    Rule.LostRunsAreClosed, $"Run {run.Run} was lost to {last.What} at {last.Struck} and closed only at {ended}.");
            }
        }
    }

    /// <summary>How many runs were closed as lost before the process came back that had their sandboxes.</summary>
    public static int CountClosedByOthers(History history) => (history.Finals.FirstOrDefault()?.Runs ?? []).Count(run =>
        run.Status == "lost" && history.Faults.Any(fault => fault.Kind is FaultKind.SiloKill or FaultKind.SiloHang && run.Ended > fault.Struck && run.Ended < fault.Over));

    private static TimeSpan GoneIn(Fault fault) => fault.Kind.LeavesOthers() ? fault.Struck : fault.Over;
}
