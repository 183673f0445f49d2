namespace Cerver.Bench.Histories;

/// <summary>What becomes of the gateway after a fault.</summary>
internal static class RecoveryRules
{
    /// <summary>Looks at every fault and at what is left in the end.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index) => CheckAppends(index).Concat(CheckRunning(index));

    private static IEnumerable<Violation> CheckAppends(HistoryIndex index)
    {
        var sent = index.History.Appends.GroupBy(append => append.Session).ToList();
        foreach (var fault in index.History.Faults)
        {
            // A gateway that is struck again before its time is up gets its time anew.
            var next = index.History.Faults.Where(other => other.Struck > fault.Struck).Select(other => other.Struck).DefaultIfEmpty(TimeSpan.MaxValue).Min();
            if (next - fault.Healed <= HistoryChecker.RecoveryLimit)
            {
                continue;
            }

            foreach (var session in sent.Where(session => session.Any(append => append.Started >= fault.Healed && append.Started < next)))
            {
                var soonest = session
                    .Where(append => append.Outcome == Outcome.Acknowledged && append.Started >= fault.Healed)
                    .Select(append => (TimeSpan?)append.Answered)
                    .Min();
                if (soonest is null || soonest - fault.Healed > HistoryChecker.RecoveryLimit)
                {
                    var when = soonest is { } at ? $"only {(at - fault.Healed).TotalSeconds:0.0} s later" : "never again";
                    yield return new(
                        Rule.RecoversInTime, $"After {fault.What} at {fault.Struck} an append to session {session.Key} succeeded {when}.");
                }
            }
        }
    }

    private static IEnumerable<Violation> CheckRunning(HistoryIndex index)
    {
        foreach (var run in (index.Final.Runs ?? []).Where(run => run.Status == "running"))
        {
            yield return new(Rule.NothingRuns, $"Run {run.Run} of session {run.Session} is still running.");
        }

        // A session may keep its sandbox up after its last run, but not over a restart.
        foreach (var final in index.History.Finals.Skip(1))
        {
            foreach (var session in (final.Sessions ?? []).Where(session => session.Status == "running"))
            {
                yield return new(Rule.NothingRuns, $"Session {session.Session} is running according to what was read {final.Source}.");
            }
        }
    }
}
