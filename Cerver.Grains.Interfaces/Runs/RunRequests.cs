namespace Cerver.Runs;

/// <summary>Starts code in a session's sandbox.</summary>
/// <param name="RunId">The caller names the run, so a repeated request finds the one that is there.</param>
/// <param name="Code">The code, at most 256 KiB of UTF-8.</param>
/// <param name="Runtime">What executes it; null takes the session's own.</param>
/// <param name="Timeout">How long it may take, 1 s .. 24 h; null takes the default of 30 s.</param>
/// <param name="Environment">Variables for this run alone. They are not recorded.</param>
/// <param name="Secrets">
/// The names of secrets that are put into its environment, beside those of the session; at most 50. A variable of <paramref name="Environment"/> goes first.
/// </param>
/// <param name="Key">The API key that asks, masked.</param>
[GenerateSerializer, Immutable, Alias("cerver.run.start")]
public sealed record StartRun(
    [property: Id(0)] string RunId,
    [property: Id(1)] string Code,
    [property: Id(2)] SandboxRuntime? Runtime,
    [property: Id(3)] TimeSpan? Timeout,
    [property: Id(4)] ImmutableDictionary<string, string> Environment,
    [property: Id(5)] ImmutableArray<string> Secrets = default,
    [property: Id(6)] string Key = "");

/// <summary>How a run ended.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Status">Anything but running.</param>
/// <param name="ExitCode">The exit code; null when lost.</param>
/// <param name="Truncated">Whether output beyond the limit was left out.</param>
/// <param name="OutputHead">The sequence number of the last chunk of output.</param>
/// <param name="EndedAt">When.</param>
/// <param name="Output">What it printed, for the transcript: at most 64 KiB, the middle left out of what is longer.</param>
[GenerateSerializer, Immutable, Alias("cerver.run.end")]
public sealed record RunEnd(
    [property: Id(0)] string RunId,
    [property: Id(1)] RunStatus Status,
    [property: Id(2)] int? ExitCode,
    [property: Id(3)] bool Truncated,
    [property: Id(4)] long OutputHead,
    [property: Id(5)] DateTimeOffset EndedAt,
    [property: Id(6)] string Output)
{
    /// <summary>The end of a run that never started, or of which nobody knows what became. What it printed is on disk.</summary>
    public static RunEnd Lost(string runId, DateTimeOffset at) => new(runId, RunStatus.Lost, ExitCode: null, Truncated: false, OutputHead: 0, at, Output: "");
}
