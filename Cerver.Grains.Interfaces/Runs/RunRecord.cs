namespace Cerver.Runs;

/// <summary>How a run stands. The numbers are stored.</summary>
[GenerateSerializer, Alias("cerver.run.status")]
public enum RunStatus
{
    /// <summary>It is going on.</summary>
    Running = 0,

    /// <summary>Its program ended by itself.</summary>
    Exited = 1,

    /// <summary>It was stopped because its time was over.</summary>
    TimedOut = 2,

    /// <summary>It was stopped because somebody asked for it.</summary>
    Cancelled = 3,

    /// <summary>Its sandbox went down under it; what it did last is not known.</summary>
    Lost = 4,
}

/// <summary>One execution of code in a session's sandbox.</summary>
/// <param name="RunId"><c>run_…</c>.</param>
/// <param name="SessionId">The session it belongs to.</param>
/// <param name="SandboxId">The sandbox it runs in.</param>
/// <param name="Runtime">What executes the code.</param>
/// <param name="Code">The code, at most 256 KiB.</param>
/// <param name="Status">How it stands.</param>
/// <param name="ExitCode">The program's exit code, 128 + n when signal n ended it; null while running and when lost.</param>
/// <param name="Truncated">Whether output beyond the limit was left out.</param>
/// <param name="OutputHead">The sequence number of the last chunk of output, 0 when there is none. Complete once the run is over.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="EndedAt">When it ended, null while running.</param>
[GenerateSerializer, Immutable, Alias("cerver.run.record")]
public sealed record RunRecord(
    [property: Id(0)] string RunId,
    [property: Id(1)] string SessionId,
    [property: Id(2)] string SandboxId,
    [property: Id(3)] SandboxRuntime Runtime,
    [property: Id(4)] string Code,
    [property: Id(5)] RunStatus Status,
    [property: Id(6)] int? ExitCode,
    [property: Id(7)] bool Truncated,
    [property: Id(8)] long OutputHead,
    [property: Id(9)] DateTimeOffset StartedAt,
    [property: Id(10)] DateTimeOffset? EndedAt);

/// <summary>What executes the code of a run. The numbers are stored.</summary>
[GenerateSerializer, Alias("cerver.run.runtime")]
public enum SandboxRuntime
{
    /// <summary><c>/bin/bash -lc</c>.</summary>
    Shell = 1,

    /// <summary>Node.js.</summary>
    Node = 2,

    /// <summary>Python 3.</summary>
    Python = 3,
}
