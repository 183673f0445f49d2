namespace Cerver.Bench.Histories;

/// <summary>What becomes of the gateway after a fault.</summary>
internal static class RecoveryRules
{
    /// <summary>
    /// A request that fails after this time was refused because a machine was not back within the half minute that a call may take. Whoever
    /// has patience with the machine has it with this too.
    /// </summary>
    private static readonly TimeSpan GivenUp = TimeSpan.FromSeconds(29);

    /// <summary>Looks at every fault and at what is left in the end.</summary>
    /// <param name="index">The history.</param>
    /// <param name="patience">How many times the limits are allowed.</param>
    public static IEnumerable<Violation> Check(HistoryIndex index, int patience) =>
        CheckAppends(index, patience).Concat(CheckFailures(index, patience)).Concat(CheckRunning(index));

    /// <summary>A gateway that is struck again before its time is up gets its time anew.</summary>
    private static IEnumerable<Violation> CheckAppends(HistoryIndex index, int patience) =>
        from outage in Outages.Of(index.History, fault => fault.Healed)
        let limit = outage.Fault.Kind.RecoveryLimit() * patience
        where outage.Longest > limit && Outages.NextOf(index.History, outage.Fault) - outage.Fault.Healed > limit
        select new Violation(
            Rule.RecoversInTime,
            $"After {outage.Fault.What} at {outage.Fault.Struck} nobody who appended to session {outage.Session} was answered for {outage.Longest.TotalSeconds:0.0} s, "
            + $"and the limit is {limit.TotalSeconds:0} s.");

    private static IEnumerable<Violation> CheckFailures(HistoryIndex index, int patience) =>
        from failure in index.History.Failures
        where patience == 1 || failure.Answered - failure.Started < GivenUp
        where !index.History.Faults.Any(fault => !fault.Kind.IsGraceful() && Excuses(fault, failure, patience))
        let during = index.History.Faults.FirstOrDefault(fault => Excuses(fault, failure, patience))
        select new Violation(
            Rule.FailsByFaultsOnly,
            $"{failure.Request} failed from {failure.Started} to {failure.Answered}: {failure.Description}. There was {(during is null ? "no fault" : $"only {during.What}")}.");

    private static bool Excuses(Fault fault, Failure failure, int patience)
    {
        var limit = fault.Healed + (fault.Kind.RecoveryLimit() * patience);
        return fault.Struck <= failure.Answered && failure.Started <= (limit > fault.Over ? limit : fault.Over);
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
