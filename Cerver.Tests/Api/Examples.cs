using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Tests.Api;

internal static class Examples
{
    public static DateTimeOffset Noon { get; } = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    public static SessionRecord Session { get; } = new(
        SessionId: "01980000-0000-7000-8000-000000000001",
        AccountId: "alice",
        SessionName: "A session",
        Status: SessionStatus.Idle,
        EndReason: null,
        SessionType: "coding",
        Harness: "claude",
        Provider: "local",
        ComputeId: "provider_local",
        SandboxId: "sbx_1",
        Task: null,
        Workload: null,
        Requirements: """{"runtime":"shell"}""",
        Metadata: null,
        Metrics: new(ProvisionTimeMs: 12),
        ParentSessionId: null,
        PreviousSessionId: null,
        CreatedAt: Noon,
        UpdatedAt: Noon.AddMicroseconds(1_500),
        TranscriptTotal: 0,
        Version: 1);

    public static RunRecord Run { get; } = new(
        RunId: "run_01980000000070008000000000000002",
        SessionId: Session.SessionId,
        SandboxId: "sbx_1",
        Runtime: SandboxRuntime.Shell,
        Code: "echo hi",
        Status: RunStatus.Running,
        ExitCode: null,
        Truncated: false,
        OutputHead: 0,
        StartedAt: Noon,
        EndedAt: null);
}
