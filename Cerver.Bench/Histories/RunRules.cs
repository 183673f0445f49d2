using System.Collections.Immutable;

namespace Cerver.Bench.Histories;

/// <summary>Which runs there are and what they printed.</summary>
internal static class RunRules
{
    /// <summary>Looks at every start and every run.</summary>
    public static IEnumerable<Violation> Check(HistoryIndex index)
    {
        var starts = index.History.Runs.ToLookup(start => (start.Session, start.Code));
        var runs = (index.Final.Runs ?? []).ToLookup(run => (run.Session, run.Code));
        var unsent = runs.Where(run => !starts.Contains(run.Key))
            .Select(run => new Violation(Rule.NothingUnsent, $"Nobody started the run {run.First().Run} of session {run.Key.Session}."));
        return
        [
            .. unsent,
            .. starts.SelectMany(attempts => CheckStarts([.. attempts.OrderBy(attempt => attempt.Started)], [.. runs[attempts.Key]])),
            .. runs.SelectMany(code => code.SelectMany(run => CheckRun(index, run, [.. starts[code.Key]]))),
        ];
    }

    private static IEnumerable<Violation> CheckStarts(ImmutableArray<RunStart> attempts, ImmutableArray<FinalRun> runs)
    {
        var session = attempts[0].Session;
        var answered = attempts.Select(attempt => attempt.Run).OfType<string>().Distinct().ToList();
        var ids = runs.Where(run => run.DidStart || answered.Contains(run.Run)).Select(run => run.Run).ToList();
        if (answered.Count > 0 && !answered.Exists(ids.Contains))
        {
            yield return new(Rule.AcknowledgedIsKept, $"The run {answered[0]} of session {session} was acknowledged and is not there.");
        }

        if (answered.Count > 1 || (ids.Count > 1 && attempts[0].Key is not null))
        {
            yield return new(
                Rule.KeyHasOneEffect,
                $"A run of session {session} was started with the key '{attempts[0].Key}' and became {string.Join(" and ", answered.Union(ids))}.");
        }
        else if (ids.Count > 1)
        {
            yield return new(Rule.NothingTwice, $"A run of session {session} was started once and is there as {string.Join(" and ", ids)}.");
        }

        if (ids.Count > 0 && attempts.All(attempt => attempt.Outcome == Outcome.Refused))
        {
            yield return new(Rule.RefusedIsAbsent, $"A run of session {session} was refused and is there as {ids[0]}.");
        }
    }

    private static IEnumerable<Violation> CheckRun(HistoryIndex index, FinalRun run, ImmutableArray<RunStart> starts)
    {
        if (Malformation(run) is { } malformation)
        {
            yield return new(Rule.RunsAreWhole, $"The stream of run {run.Run} {malformation}.");
        }

        if (!starts.IsEmpty && Distortion(run, starts[0].Output) is { } distortion)
        {
            yield return new(Rule.RunsAreWhole, $"Run {run.Run}, {run.Status}, {distortion}.");
        }

        var entries = index.LogOf(run.Session).Where(entry => entry.ToolId == run.Run).Select(entry => entry.Kind).ToList();
        if (run.Status != "running" && entries is not ["tool_use", "tool_result"])
        {
            yield return new(
                entries.Count > 2 ? Rule.NothingTwice : Rule.AcknowledgedIsKept,
                $"Run {run.Run} is {run.Status} and has these entries in session {run.Session}: {string.Join(", ", entries)}.");
        }
    }

    private static string? Malformation(FinalRun run)
    {
        for (var position = 0; position < run.Events.Length; position++)
        {
            if (run.Events[position].Id != position)
            {
                return $"has the id {run.Events[position].Id} where {position} belongs";
            }
        }

        return run.Events switch
        {
            [] => "is empty",
            [{ Kind: not "run" }, ..] => $"begins with '{run.Events[0].Kind}'",
            _ when run.Status == "running" => null,
            _ when !EventData.IsEnd(run.Events[^1]) => $"ends with '{run.Events[^1].Kind}'",
            _ when run.Events[1..^1].Any(middle => !EventData.IsOutput(middle)) => "has something other than output in its middle",
            _ => null,
        };
    }

    private static string? Distortion(FinalRun run, string output)
    {
        var printed = EventData.OutputOf(run.Events, "stdout");
        var complaint = EventData.OutputOf(run.Events, "stderr");
        if (complaint.Length > 0)
        {
            return $"printed on stderr, which its program does not: '{complaint}'";
        }

        if (!output.StartsWith(printed, StringComparison.Ordinal))
        {
            var equal = printed.Zip(output).TakeWhile(pair => pair.First == pair.Second).Count();
            return $"printed something other than its program from character {equal} on";
        }

        return run switch
        {
            { Status: "exited", ExitCode: not 0 } => $"ended with {run.ExitCode}, and its program ends with 0",
            { Status: "exited" } when printed.Length != output.Length => $"printed {printed.Length} of {output.Length} characters",
            _ => null,
        };
    }
}
