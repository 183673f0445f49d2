namespace Cerver.Bench.Histories;

/// <summary>Which sessions there are.</summary>
internal static class CreationRules
{
    /// <summary>Looks at every creation and every session.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index)
    {
        var sessions = (index.Final.Sessions ?? []).ToLookup(session => session.Name);
        var creations = index.History.Creations.GroupBy(creation => creation.Name).ToList();
        foreach (var unsent in sessions.Where(session => !creations.Exists(creation => creation.Key == session.Key)))
        {
            yield return new(Rule.NothingUnsent, $"Nobody created the session '{unsent.Key}'.");
        }

        foreach (var attempts in creations)
        {
            var ids = sessions[attempts.Key].Select(session => session.Session).ToList();
            var answered = attempts.Select(attempt => attempt.Session).OfType<string>().Distinct().ToList();
            if (answered.Count > 0 && !answered.Exists(ids.Contains))
            {
                yield return new(Rule.AcknowledgedIsKept, $"The session '{attempts.Key}' was created as {answered[0]} and is not there.");
            }

            if (answered.Count > 1 || (ids.Count > 1 && attempts.Any(attempt => attempt.Key is not null)))
            {
                yield return new(
                    Rule.KeyHasOneEffect, $"'{attempts.Key}' was created with one key as {string.Join(" and ", answered.Union(ids))}.");
            }
            else if (ids.Count > 1)
            {
                yield return new(Rule.NothingTwice, $"'{attempts.Key}' was created once and is there as {string.Join(" and ", ids)}.");
            }

            if (ids.Count > 0 && attempts.All(attempt => attempt.Outcome == Outcome.Refused))
            {
                yield return new(Rule.RefusedIsAbsent, $"'{attempts.Key}' was refused and is there as {ids[0]}.");
            }
        }
    }
}
