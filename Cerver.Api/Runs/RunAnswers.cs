using System.Diagnostics;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>One execution of code in a session's sandbox.</summary>
public sealed record RunAnswer
{
    /// <summary><c>run_…</c>.</summary>
    public required string RunId { get; init; }

    /// <summary>The session it belongs to.</summary>
    public required string SessionId { get; init; }

    /// <summary>The sandbox it runs in.</summary>
    public required string SandboxId { get; init; }

    /// <summary>What executes the code: <c>shell</c>, <c>node</c> or <c>python</c>.</summary>
    public required string Runtime { get; init; }

    /// <summary>The code.</summary>
    public required string Code { get; init; }

    /// <summary>
    /// <c>running</c>, <c>exited</c>, <c>timed_out</c>, <c>cancelled</c>, or <c>lost</c> when its sandbox went down under it.
    /// </summary>
    public required string Status { get; init; }

    /// <summary>The program's exit code, 128 + n when signal n ended it; null while running and when lost.</summary>
    public required int? ExitCode { get; init; }

    /// <summary>How long it took, in milliseconds; null while running.</summary>
    public required long? DurationMs { get; init; }

    /// <summary>Whether output beyond the limit was left out.</summary>
    public required bool Truncated { get; init; }

    /// <summary>When it started.</summary>
    public required DateTime StartedAt { get; init; }

    /// <summary>When it ended; null while running.</summary>
    public required DateTime? EndedAt { get; init; }

    internal static RunAnswer Of(RunRecord run) => new()
    {
        RunId = run.RunId,
        SessionId = run.SessionId,
        SandboxId = run.SandboxId,
        Runtime = WordOf(run.Runtime),
        Code = run.Code,
        Status = WordOf(run.Status),
        ExitCode = run.ExitCode,
        DurationMs = DurationOf(run),
        Truncated = run.Truncated,
        StartedAt = run.StartedAt.UtcDateTime,
        EndedAt = run.EndedAt?.UtcDateTime,
    };

    /// <summary>How long a run took in milliseconds; null while it is going on.</summary>
    internal static long? DurationOf(RunRecord run) => run.EndedAt is { } endedAt ? (long)(endedAt - run.StartedAt).TotalMilliseconds : null;

    /// <summary>The word for a runtime.</summary>
    internal static string WordOf(SandboxRuntime runtime) => runtime switch
    {
        SandboxRuntime.Shell => "shell",
        SandboxRuntime.Node => "node",
        SandboxRuntime.Python => "python",
        _ => throw new UnreachableException($"No word for {runtime}."),
    };

    private static string WordOf(RunStatus status) => status switch
    {
        RunStatus.Running => "running",
        RunStatus.Exited => "exited",
        RunStatus.TimedOut => "timed_out",
        RunStatus.Cancelled => "cancelled",
        RunStatus.Lost => "lost",
        _ => throw new UnreachableException($"No word for {status}."),
    };
}

/// <summary>One page of a session's runs.</summary>
public sealed record RunListAnswer
{
    /// <summary>The newest first.</summary>
    public required ImmutableArray<RunAnswer> Runs { get; init; }

    /// <summary>Send it as <c>cursor</c> for the next page; null on the last.</summary>
    public required string? NextCursor { get; init; }
}

/// <summary>A run that is over, with what it printed.</summary>
public sealed record RunFinished
{
    /// <summary>The session.</summary>
    public required string SessionId { get; init; }

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>How long it took, in milliseconds.</summary>
    public required long DurationMs { get; init; }

    /// <summary>How it ended and what it printed.</summary>
    public required RunResult Result { get; init; }
}

/// <summary>How a run ended and what it printed.</summary>
public sealed record RunResult
{
    /// <summary>What it wrote to standard output, read as UTF-8; what is not UTF-8 becomes U+FFFD.</summary>
    public required string Stdout { get; init; }

    /// <summary>What it wrote to standard error, read in the same way.</summary>
    public required string Stderr { get; init; }

    /// <summary>The program's exit code, 128 + n when signal n ended it.</summary>
    public required int? ExitCode { get; init; }

    /// <summary>Whether it was stopped because its time was over.</summary>
    public required bool TimedOut { get; init; }

    /// <summary>Whether it printed more than is here. The run's stream may have the rest.</summary>
    public required bool Truncated { get; init; }
}
