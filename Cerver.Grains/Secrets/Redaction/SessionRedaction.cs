using Cerver.Grains.Sessions;
using Cerver.Sessions;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>Takes values out of what is about to become of a session. Pure.</summary>
internal static class SessionRedaction
{
    /// <summary>Whether a change says anything that the session did not say before. What does not is written also while nobody knows the values.</summary>
    public static bool IsNeeded(SessionRecord? before, SessionChange change) =>
        !change.Entries.IsEmpty || change.Started is not null || before is null || TextsOf(before) != TextsOf(change.Next);

    /// <summary>A change without values in anything that callers or programs said.</summary>
    public static SessionChange Redact(SecretMatcher matcher, SessionChange change) => matcher.IsEmpty ? change : change with
    {
        Next = change.IsNew || change.RewritesRecord ? Redact(matcher, change.Next) : change.Next,
        Entries = TextRedactor.Redact(matcher, change.Entries),
        Started = change.Started is { } run ? run with { Code = TextRedactor.Redact(matcher, run.Code)! } : null,
    };

    private static (string?, string?, string?, string?, string?, string?, string?, string?) TextsOf(SessionRecord record) => (
        record.SessionName, record.EndReason, record.SessionType, record.Harness, record.Task, record.Workload, record.Requirements, record.Metadata);

    private static SessionRecord Redact(SecretMatcher matcher, SessionRecord record) => record with
    {
        SessionName = TextRedactor.Redact(matcher, record.SessionName)!,
        EndReason = TextRedactor.Redact(matcher, record.EndReason),
        SessionType = TextRedactor.Redact(matcher, record.SessionType),
        Harness = TextRedactor.Redact(matcher, record.Harness),
        Task = TextRedactor.Redact(matcher, record.Task),
        Workload = TextRedactor.Redact(matcher, record.Workload),
        Requirements = JsonRedactor.Redact(matcher, record.Requirements),
        Metadata = JsonRedactor.Redact(matcher, record.Metadata),
    };
}
