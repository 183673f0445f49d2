namespace Cerver.Grains.Storage;

/// <summary>
/// What must hold for the rows of sessions and runs in every database, each rule a statement that gives a line per violation.
/// </summary>
internal static class LogRules
{
    /// <summary>Violations that are told of each rule. More of the same kind say nothing new.</summary>
    public const int MaxViolations = 100;

    /// <summary>The paths of the statements.</summary>
    public static ImmutableArray<string> Paths { get; } =
    [
        "Storage/Check/transcript_positions.sql",
        "Storage/Check/output_sequences.sql",
        "Storage/Check/entries_without_session.sql",
        "Storage/Check/runs_without_session.sql",
        "Storage/Check/output_without_run.sql",
        "Storage/Check/runs_after_end.sql",
        "Storage/Check/run_times.sql",
        "Storage/Check/event_positions.sql",
        "Storage/Check/event_totals.sql",
        "Storage/Check/events_of_output.sql",
        "Storage/Check/events_without_session.sql",
        "Storage/Check/index_without_entry.sql",
    ];
}
