using System.Collections.Immutable;

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
            var attempts = starts[(run.Session, run.Code)].ToList();
            if (!run.DidStart && attempts.TrueForAll(attempt => attempt.Run != run.Run))
            {
                // Its sandbox refused it when it was on record already, and another attempt of the same call became another run.
                continue;
            }

            var started = attempts.Min(start => start.Started);
            var acknowledged = attempts.Where(start => start.Outcome == Outcome.Acknowledged).Min(start => (TimeSpan?)start.Answered);
            var causes = index.History.Faults
                .Where(fault => fault.Kind.LosesRuns() && fault.Over >= started && (run.Ended is not { } end || end >= fault.Struck))
                .Where(fault => Reaches(fault, run, acknowledged))
                .OrderBy(fault => fault.Struck)
                .ToImmutableArray();
            if (causes.IsEmpty)
            {
                yield return new(
                    Rule.RunsAreNotLost,
                    $"Run {run.Run} on host '{run.Host}' is lost and there was no fault after it was started that loses runs of this host.");
            }
            else if (run.Ended is { } ended && CauseOf(causes, acknowledged, patience) is var (cause, deadline) && ended > deadline)
            {
                yield return new(
                    Rule.LostRunsAreClosed,
                    $"Run {run.Run} was lost to {cause.What} at {cause.Struck} and closed only at {ended}, which is after {deadline}.");
            }
        }
    }

    /// <summary>How many runs were closed as lost before the silo was there again that had their sandboxes: they were closed by another one.</summary>
    public static int CountClosedByOthers(History history) => (history.Finals.FirstOrDefault()?.Runs ?? [])
        .Where(run => run.Status == "lost")
        .Count(run => history.Faults.Any(fault => fault.Host == run.Host && run.Ended > fault.Struck && run.Ended < fault.Returned));

    /// <summary>
    /// A silo that is gone takes the runs with it whose sandboxes it had. Of others it may have been about to ask for the start: such a run
    /// was not acknowledged before, and never printed anything.
    /// </summary>
    private static bool Reaches(Fault fault, FinalRun run, TimeSpan? acknowledged) =>
        !fault.Kind.LeavesOthers() || fault.Host == run.Host || (!WasGoing(fault, acknowledged) && !run.Events.Any(EventData.IsOutput));

    /// <summary>
    /// What a run was lost to, and by when it must have been closed: the first silo that is known to have had it, or else what leaves most time.
    /// </summary>
    private static (Fault Cause, TimeSpan Deadline) CauseOf(ImmutableArray<Fault> causes, TimeSpan? acknowledged, int patience)
    {
        var known = causes.FirstOrDefault(cause => cause.Kind.LeavesOthers() && WasGoing(cause, acknowledged));
        var cause = known ?? causes.MaxBy(cause => DeadlineOf(cause, acknowledged, patience))!;
        return (cause, DeadlineOf(cause, acknowledged, patience));
    }

    /// <summary>A frozen silo goes on only when others must long have closed what it had, or nothing would show that they do.</summary>
    private static TimeSpan DeadlineOf(Fault cause, TimeSpan? acknowledged, int patience)
    {
        var limit = (cause.Kind.LeavesOthers() ? cause.Struck : cause.Over) + (ClosingLimit * patience);
        return cause is { Kind: FaultKind.SiloHang, Returned: { } returned } && WasGoing(cause, acknowledged) && returned < limit
            ? returned
            : limit;
    }

    /// <summary>Whether a run was going on when a fault struck, and not only about to begin.</summary>
    private static bool WasGoing(Fault fault, TimeSpan? acknowledged) => acknowledged <= fault.Struck;
}
