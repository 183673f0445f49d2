using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>The invariants of the log, checked against what clients saw. Pure: the same history gives the same answer.</summary>
internal static class HistoryChecker
{
    /// <summary>How many violations of each rule are told; one fault of the gateway may be seen by thousands of requests.</summary>
    public const int MaxViolationsPerRule = 20;

    /// <summary>Everything that was promised and not kept; empty when all is well.</summary>
    /// <param name="history">The history.</param>
    /// <param name="patience">How many times the limits of time are allowed: they are those of a machine that has nothing else to do.</param>
    /// <exception cref="ArgumentException">The history was not read to its end: it has no final state.</exception>
    public static ImmutableArray<Violation> Check(History history, int patience = 1)
    {
        if (history.Finals.IsEmpty)
        {
            throw new ArgumentException("A history without its final state says nothing.", nameof(history));
        }

        var index = new HistoryIndex(history);
        IEnumerable<Violation> found =
        [
            .. LogRules.Check(index),
            .. OrderRules.Check(index),
            .. ReadRules.Check(index),
            .. RunRules.Check(index),
            .. LostRunRules.Check(index, patience),
            .. CreationRules.Check(index),
            .. WatchRules.Check(index),
            .. AccountRules.Check(index),
            .. StreamRules.Check(index),
            .. RecoveryRules.Check(index, patience),
            .. SourceRules.Check(index),
        ];
        return [.. found.GroupBy(violation => violation.Rule).SelectMany(rule => rule.Take(MaxViolationsPerRule))];
    }
}
